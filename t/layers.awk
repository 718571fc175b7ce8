# Says what breaks the layers of doc/architecture.md. Input: every source and header, relative to the root, e.g.
#	awk -f t/layers.awk src/*/*.[ch] src/*.[ch] runtimes/*.[ch] cache/*.[ch] generators/*.[ch]
# (POSIX awk, two passes: ARGV is doubled, so that definitions are known before they are looked for.)

BEGIN {
	split("base sys spec plan resolve exec cli", order, " ")
	for (i = 1; i in order; i++)
		rank[order[i]] = i
	plugin["runtimes"] = plugin["cache"] = plugin["generators"] = 1
	last = ARGC - 1
	for (i = 1; i <= last; i++)
		exists[ARGV[i]] = 1
	for (i = 1; i <= last; i++)
		ARGV[ARGC++] = ARGV[i]
}

function say(text) { print FILENAME ":" FNR ": " text }

# "src/base/str.c" is in "base", "cache/dir.c" in "cache", "src/main.c" in "top"
function room_of(path,   part, n) {
	n = split(path, part, "/")
	if (part[1] != "src")
		return part[1]
	return n == 2 ? "top" : part[2]
}

# The file an include names: beside the includer, in src/, or at the root.
function resolved(name,   beside) {
	beside = FILENAME
	sub(/[^\/]*$/, "", beside)
	if ((beside name) in exists)
		return beside name
	if (("src/" name) in exists)
		return "src/" name
	return name
}

function check_include(name,   path, to, from) {
	path = resolved(name)
	if (!(path in exists)) {
		say("\"" name "\" is no file")
		return
	}
	to = room_of(path)
	from = room
	if (to == from || from == "top")
		return
	if (from in plugin) {
		if (to != "base" && to != "sys" && to != "plan")
			say("a plug-in includes its interface, base, sys and plan, not " path)
	} else if (to in plugin) {
		if (rank[from] <= rank["plan"])
			say(from " may not know the interface " path)
	} else if (to == "top") {
		if (rank[from] <= rank["plan"])
			say(from " may not include " path)
	} else if (rank[to] > rank[from]) {
		say(from " may not include " path ", which lies to its right")
	}
}

function library_of(header) {
	if (header == "yaml.h" || header == "git2.h" || header == "xxhash.h" || header == "archive.h" ||
	    header == "archive_entry.h" || header == "seccomp.h" || header == "microhttpd.h") {
		sub(/(_entry)?\.h$/, "", header)
		return header
	}
	if (header == "cJSON.h")
		return "cjson"
	if (header ~ /^(cjson|git2|openssl|curl|libssh)\//) {
		sub(/\/.*/, "", header)
		return header
	}
	return ""
}

FNR == 1 {
	room = room_of(FILENAME)
	seen_before = (FILENAME in seen)
	seen[FILENAME] = 1
	if (!seen_before) {
		stem = FILENAME
		sub(/.*\//, "", stem)
		sub(/\.[ch]$/, "", stem)
		if (stem in room_of_stem && room_of_stem[stem] != room)
			say("the name " stem " is taken in " room_of_stem[stem])
		room_of_stem[stem] = room
	}
}

# First pass: plug-in tables and includes.
!seen_before && room in plugin && /^const struct [a-z_]+ [a-z0-9_]+ = / {
	tables[$4] = room
}
!seen_before && /^[ \t]*#[ \t]*include/ {
	name = $0
	sub(/^[ \t]*#[ \t]*include[ \t]*["<]/, "", name)
	sub(/[">].*/, "", name)
	if ($0 ~ /"/) {
		check_include(name)
	} else if ((lib = library_of(name)) != "") {
		if (lib in door && door[lib] != FILENAME)
			say(lib " already has its door, " door[lib])
		door[lib] = FILENAME
	}
}

# Second pass: who names a plug-in?
seen_before && FILENAME != "src/registry.c" {
	n = split($0, words, /[^A-Za-z0-9_]+/)
	for (i = 1; i <= n; i++)
		if (words[i] in tables && tables[words[i]] != room)
			say("only src/registry.c names the plug-in " words[i])
}

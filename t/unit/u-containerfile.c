/* What a Containerfile needs, as one line of text for each case. */
#include "resolve/containerfile.h"
#include "tap.h"

static struct arena arena;

static const struct str base_env[] = {{"DIR=app", 7}, {"V=base", 6}};
static const struct str triggers[] = {{"COPY . /src", 11}};
static const struct str fetching[] = {{"COPY --from=other /x /x", 23}};
static const struct cfile_image plain = {.identity = {"id", 2}},
	with_env = {.identity = {"id", 2}, .env = base_env, .nenv = 2},
	with_trigger = {.identity = {"id", 2}, .onbuild = triggers, .nonbuild = 1},
	with_fetch = {.identity = {"id", 2}, .onbuild = fetching, .nonbuild = 1};

static const struct cfile_image *image_of(void *ctx, struct str ref, struct str platform)
{
	(void)ctx;
	(void)platform;
	if (str_is(ref, "unknown"))
		return NULL;
	return str_is(ref, "env") ? &with_env : str_is(ref, "trigger") ? &with_trigger : str_is(ref, "fetch") ? &with_fetch : &plain;
}

/* "A=1 B=2" */
static void args_of(const char *text, struct cfile_ask *ask)
{
	struct str rest = str_of(text), word;
	struct cfile_arg *args = arena_array(&arena, 16, struct cfile_arg);

	while (str_cut(&rest, ' ', &word)) {
		ptrdiff_t equals = str_chr(word, '=');

		args[ask->nargs++] = (struct cfile_arg){str_head(word, equals), str_from(word, equals + 1)};
	}
	ask->args = args;
}

static void add_why(struct buf *b, const char *name, const struct cfile_why *why)
{
	if (why->text.s)
		buf_fmt(b, " %s(%u:%u)", name, why->loc.line, why->loc.col);
}

static void describe(const struct cfile_needs *needs, struct buf *b)
{
	for (size_t i = 0; i < needs->nstages; i++)
		buf_fmt(b, "%s%u", i ? "," : "", needs->stages[i]);
	for (size_t i = 0; i < needs->nbases; i++)
		buf_fmt(b, " <%.*s%s%.*s", STR_ARG(needs->bases[i].ref), str_is(needs->bases[i].platform, "linux/amd64") ? "" : "@",
			str_is(needs->bases[i].platform, "linux/amd64") ? 0 : (int)needs->bases[i].platform.n, needs->bases[i].platform.s);
	for (size_t i = 0; i < needs->nsources; i++)
		buf_fmt(b, " %s[%.*s]", needs->sources[i].wild ? "*" : "", STR_ARG(needs->sources[i].path));
	for (size_t i = 0; i < needs->nargs; i++)
		buf_fmt(b, " %.*s=%.*s", STR_ARG(needs->args[i].name), STR_ARG(needs->args[i].value));
	for (size_t i = 0; i < needs->nunused; i++)
		buf_fmt(b, " -%.*s", STR_ARG(needs->unused[i]));
	for (size_t i = 0; i < needs->nsecrets; i++)
		buf_fmt(b, " secret:%.*s%s", STR_ARG(needs->secrets[i].id), needs->secrets[i].required ? "!" : "");
	buf_z(b, needs->ssh ? " ssh" : "");
	add_why(b, "whole", &needs->whole);
	add_why(b, "uncached", &needs->uncached);
	add_why(b, "buildkit", &needs->buildkit);
}

/* The needs as text, or where and why not. */
static struct str needs_of(struct str text, const char *target, const char *args, bool every)
{
	struct source *src = arena_new(&arena, struct source);
	struct cfile_ask ask = {.target = str_of(target), .platform = S("linux/amd64"), .image = image_of, .every = every};
	struct cfile_needs needs;
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT(BUF_UNLIMITED);
	struct cfile *file;
	struct str out;

	*src = (struct source){S("Containerfile"), text};
	if (*args)
		args_of(args, &ask);
	if (ask.nargs && str_is(ask.args[0].name, "@")) {
		ask.build_platform = ask.args[0].value;
		ask.args++, ask.nargs--;
	}
	if (cfile_parse(&arena, src, &file, &err) < 0 || cfile_reach(&arena, file, &ask, &needs, &err) < 0)
		for (size_t i = 0; i < err.ndiags; i++)
			buf_fmt(&b, "%s%u:%u %s", i ? "; " : "", err.diags[i].loc.line, err.diags[i].loc.col, err.diags[i].text);
	else
		describe(&needs, &b);
	if (err.text)
		buf_z(&b, err.text);
	out = str_dup(&arena, buf_view(&b));
	buf_release(&b);
	err_release(&err);
	return out;
}

struct a_case { const char *name, *text, *target, *args, *want; };

static const struct a_case stages[] = {
	{"the last stage is the target", "FROM a\nFROM b\n", "", "", "1 <b"},
	{"a stage by name, in any case", "FROM a AS One\nFROM b AS two\n", "ONE", "", "0 <a"},
	{"a stage by number", "FROM a\nFROM b\n", "0", "", "0 <a"},
	{"a stage from a stage", "FROM a AS x\nFROM b AS y\nFROM x\n", "", "", "0,2 <a"},
	{"COPY --from a stage reaches it", "FROM a AS x\nFROM b AS y\nFROM c\nCOPY --from=Y /o /o\n", "", "", "1,2 <b <c"},
	{"by its number as well", "FROM a\nFROM b\nFROM c\nCOPY --from=0 /o /o\n", "", "", "0,2 <a <c"},
	{"COPY --from an image makes it a base", "FROM scratch\nCOPY --from=tool:1 /o /o\n", "", "", "0 <tool:1"},
	{"each base once", "FROM a\nCOPY --from=a /o /o\nCOPY --from=a /p /p\n", "", "", "0 <a"},
	{"a mount reaches a stage", "FROM a AS x\nFROM b\nRUN --mount=type=bind,from=x,target=/x ls\n", "", "", "0,1 <a <b buildkit(3:5)"},
	{"so does a cache mount", "FROM a AS x\nFROM b\nRUN --mount=type=cache,target=/c,from=x ls\n", "", "", "0,1 <a <b buildkit(3:5)"},
	{"builders that leave no stage out", "FROM a\nCOPY t /\nFROM b\nCOPY s /\n", "1", "", "1 <b [s]"},
	{"an unknown target", "FROM a AS build\n", "biuld", "", "1:1 there is no stage biuld in it"},
	{"a stage that comes later", "FROM a\nCOPY --from=x /a /b\nFROM b AS x\n", "0", "", "2:6 the stage x does not stand before this one"},
	{"a number that comes later", "FROM a\nCOPY --from=0 /a /b\n", "", "", "2:6 there is no stage 0 before this one"},
	{"a number in a mount", "FROM a\nFROM b\nRUN --mount=from=0,target=/a ls\n", "", "",
	 "3:5 not every engine takes a stage's number in a mount; give the stage a name"},
	{"a variable in --from", "FROM a\nCOPY --from=$X /a /b\n", "", "", "2:6 not every engine expands variables here"},
	{"no name in --from", "FROM a\nCOPY --from /a /b\n", "", "", "2:6 it does not say from where"},
	{"a stage twice", "FROM a AS x\nFROM b AS X\n", "", "", "2:11 there is a stage x already; engines differ on which is meant then"},
	{"scratch is no base", "FROM scratch\nCOPY --from=scratch /a /b\n", "", "", "0"},
	{"an image by digest", "FROM a@sha256:0123\n", "", "", "0 <a@sha256:0123"},
	{"what is in no stage", "RUN x\nFROM a\n", "", "", "1:1 only ARG can stand before the first FROM"},
	{"no stage at all", "ARG X=1\n", "", "", "1:1 there is no FROM in it"},
	{"nothing at all", "", "", "", "1:1 there is no FROM in it"},
	{"a name that is none", "FROM a AS 1x\n", "", "", "1:11 a stage's name is a letter and then letters, digits, \"-\", \"_\" and \".\""},
	{"too many words", "FROM a b\n", "", "", "1:8 FROM takes an image, and \"AS\" with a name"},
	{"a platform", "FROM --platform=linux/arm64 a\nCOPY --from=b /a /b", "", "", "0 <b <a@linux/arm64"},
	{"the same image for two platforms", "FROM --platform=linux/arm64 a AS x\nFROM a\nCOPY --from=x /a /b", "", "", "0,1 <a@linux/arm64 <a"},
};

static const struct a_case args[] = {
	{"a default", "ARG V=1\nFROM a:$V\n", "", "", "0 <a:1"},
	{"a given value", "ARG V=1\nFROM a:${V}\n", "", "V=2", "0 <a:2 V=2"},
	{"a default that uses another", "ARG A=1\nARG B=$A.0\nFROM a:$B\n", "", "", "0 <a:1.0"},
	{"several in one line", "ARG A=1 B=\"2 3\" C\nFROM a:$A$C\n", "", "C=x", "0 <a:1x C=x"},
	{"${X:-y}", "ARG V\nFROM a:${V:-7}\n", "", "", "0 <a:7"},
	{"${X-y}", "ARG V=\nFROM a:x${V-7}\n", "", "", "0 <a:x"},
	{"${X:+y}", "ARG V=1\nFROM a:x${V:+-slim}\n", "", "", "0 <a:x-slim"},
	{"${X:-$Y}", "ARG Y=9\nFROM a:${V:-${Y:-1}}\n", "", "", "0 <a:9"},
	{"${X:?y}", "ARG V\nFROM a:${V:?why}\n", "", "", "2:6 a:${V:?why} says that V must be set: why"},
	{"an expansion not all engines know", "ARG V=1.2\nFROM a:${V%.*}\n", "", "",
	 "2:6 a:${V%.*} is not expanded the same way by all engines; only ${X}, ${X:-y}, ${X:+y} and ${X:?y} are"},
	{"an argument that stands for nothing", "ARG V\nFROM $V\n", "", "", "2:6 $V stands for nothing"},
	{"an argument of a stage is none of FROM", "FROM a\nARG V=1\nFROM b$V\n", "", "", "1 <b"},
	{"one that nothing declares is not used", "FROM a\n", "", "V=1 W=2", "0 <a -V -W"},
	{"nor one of a stage that is not reached", "FROM a\nARG V\nFROM b\n", "", "V=1", "1 <b -V"},
	{"used are those of reached stages", "FROM a AS x\nARG V\nFROM x\nARG A=2\n", "", "V=1 A=3", "0,1 <a A=3 V=1"},
	{"a proxy needs no declaration", "FROM a\n", "", "HTTP_PROXY=x SOURCE_DATE_EPOCH=0", "0 <a HTTP_PROXY=x SOURCE_DATE_EPOCH=0"},
	{"the platform is predefined", "FROM --platform=$TARGETPLATFORM a:$TARGETARCH\n", "", "", "0 <a:amd64 TARGETARCH=amd64 TARGETPLATFORM=linux/amd64 buildkit(1:33)"},
	{"the build platform too", "FROM --platform=$BUILDPLATFORM a\nARG TARGETARCH\n", "", "@=linux/arm64/v8",
	 "0 <a@linux/arm64/v8 BUILDPLATFORM=linux/arm64/v8 TARGETARCH=amd64 buildkit(1:6)"},
	{"where it is known", "FROM --platform=$BUILDPLATFORM a\n", "", "",
	 "1:6 unable to tell BUILDPLATFORM: it is not known where the image will be built"},
	{"its parts", "ARG TARGETOS\nFROM a:$TARGETOS-$BUILDVARIANT\n", "", "@=linux/arm64/v8",
	 "0 <a:linux-v8 BUILDVARIANT=v8 TARGETOS=linux buildkit(1:5)"},
	{"a given one wins", "FROM a:$TARGETARCH\n", "", "TARGETARCH=x", "0 <a:x TARGETARCH=x buildkit(1:6)"},
	{"quotes and escapes go", "ARG A=\"x y\"\nFROM a:\\$A'$A'\n", "", "", "0 <a:$A$A"},
	{"a quote that is not closed", "FROM a:\"x\n", "", "", "1:6 a:\"x has a quote that is not closed"},
	{"a brace that is not closed", "FROM a:${X\n", "", "", "1:6 a:${X has a \"${\" without a \"}\""},
};

static const struct a_case sources[] = {
	{"sources, not the destination", "FROM a\nCOPY a b /c/\nADD d /e\n", "", "", "0 <a [a] [b] [d]"},
	{"cleaned", "FROM a\nCOPY ./a/../b//c/ /d ../../e /\n", "", "", "0 <a [b/c] [d] [e]"},
	{"all of it", "FROM a\nCOPY . /\n", "", "", "0 <a []"},
	{"wildcards", "FROM a\nCOPY src/*.c [ab] /\n", "", "", "0 <a *[src/*.c] *[[ab]]"},
	{"a JSON list", "FROM a\nCOPY [\"a b\", \"/c\"]\n", "", "", "0 <a [a b]"},
	{"what only looks like one", "FROM a\nCOPY [a b /\n", "", "", "0 <a *[[a] [b] whole(2:6)"},
	{"a class that is not closed", "FROM a\nCOPY x[a /\n", "", "", "0 <a *[x[a] whole(2:6)"},
	{"flags before it", "FROM a\nCOPY --chown=1:1 --chmod=755 --link=true a /\n", "", "", "0 <a [a] buildkit(2:18)"},
	{"--parents and --exclude", "FROM a\nCOPY --parents --exclude=*.o ./x/./y **/z /\n", "", "", "0 <a [x/y] *[**/z] buildkit(2:6)"},
	{"an unknown flag", "FROM a\nCOPY --frm=x a /\n", "", "", "2:6 COPY knows no flag --frm"},
	{"ENV and ARG are expanded", "FROM a\nARG V=1\nENV D=x\nCOPY $D-${V} /\n", "", "", "0 <a [x-1]"},
	{"ENV the old way", "FROM a\nENV D  x y\nCOPY \"$D\" /\n", "", "", "0 <a [x y]"},
	{"ENV on one line sees what was before", "FROM a\nENV A=1\nENV A=2 B=$A\nCOPY $B /\n", "", "", "0 <a [1]"},
	{"ENV of the image", "FROM env\nCOPY $DIR /\n", "", "", "0 <env [app]"},
	{"ENV of a stage's image", "FROM env AS x\nENV E=$DIR\nFROM x\nCOPY $E /\n", "", "", "0,1 <env [app]"},
	{"unset is empty", "FROM a\nCOPY x$Y /\n", "", "", "0 <a [x]"},
	{"a global is no argument of a stage", "ARG V=1\nFROM a\nCOPY x$V /\n", "", "", "0 <a [x]"},
	{"unless it is declared there", "ARG V=1\nFROM a\nARG V\nCOPY x$V /\n", "", "", "0 <a [x1]"},
	{"ENV wins over ARG, when it comes later", "FROM a\nARG V=1\nENV V=2\nCOPY x$V /\n", "", "", "0 <a [x2]"},
	{"otherwise it depends on the engine", "FROM a\nENV V=2\nARG V=1\nCOPY x$V y /\n", "", "", "0 <a [y] whole(4:6)"},
	{"so it does with the image's", "FROM env\nARG V=1\nCOPY x$V /\n", "", "", "0 <env whole(3:6)"},
	{"where both are the same, it does not", "FROM env\nARG V=base\nCOPY x$V /\n", "", "", "0 <env [xbase]"},
	{"an argument of a parent stage", "FROM a AS x\nARG V=1\nFROM x\nCOPY x$V /\n", "", "", "0,1 <a whole(4:6)"},
	{"PATH is never sure", "FROM a\nCOPY x$PATH /\n", "", "", "0 <a whole(2:6)"},
	{"a backslash in a name", "FROM a\nCOPY [\"a\\\\\\\\b\", \"/\"]\n", "", "", "0 <a [a\\b] whole(2:6)"},
	{"an image that is not known", "FROM unknown\nCOPY $X y /\n", "", "", "0 <unknown [y] whole(1:6) uncached(1:6)"},
	{"a bind mount of a folder", "FROM a\nRUN --mount=type=bind,source=src,target=/s ls\n", "", "", "0 <a [src] buildkit(2:5)"},
	{"a bind mount of all", "FROM a\nRUN --mount=target=/s ls\n", "", "", "0 <a whole(2:5) buildkit(2:5)"},
	{"a bind mount by a variable", "FROM a\nARG X=1\nRUN --mount=source=$X,target=/s ls\n", "", "", "0 <a whole(3:5) buildkit(3:5)"},
	{"other mounts read nothing", "FROM a\nRUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/t ls\n", "", "", "0 <a buildkit(2:5)"},
	{"secrets and ssh", "FROM a\nRUN --mount=type=secret,id=b,required --mount=type=secret,target=/x/c --mount=type=ssh ls\n"
	 "RUN --mount=type=secret,id=c,required=true ls\n", "", "", "0 <a secret:b! secret:c! ssh buildkit(2:5)"},
	{"an unknown mount", "FROM a\nRUN --mount=type=bnid,target=/x ls\n", "", "",
	 "2:5 there is no mount of type \"bnid\"; there are bind, cache, tmpfs, secret and ssh"},
	{"quoted fields", "FROM a\nRUN --mount='\"source=a,b\",target=/x' ls\n", "", "", "0 <a [a,b] buildkit(2:5)"},
	{"a source is missing", "FROM a\nCOPY a\n", "", "", "2:1 a source and a destination must follow"},
};

static const struct a_case elsewhere[] = {
	{"ADD of an address", "FROM a\nADD https://h/x /\n", "", "", "0 <a uncached(2:5)"},
	{"with a checksum", "FROM a\nADD --checksum=sha256:" "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef https://h/x y /\n", "", "",
	 "0 <a [y] buildkit(2:5)"},
	{"with a checksum that is none", "FROM a\nADD --checksum=sha256:12 https://h/x /\n", "", "", "0 <a uncached(2:26) buildkit(2:5)"},
	{"by a variable", "FROM a\nARG U=http://h/x\nADD $U /\n", "", "", "0 <a uncached(3:5)"},
	{"by one that is not sure", "FROM env\nARG V=http://h/x\nADD $V /\n", "", "", "0 <env whole(3:5) uncached(3:5)"},
	{"COPY takes it for a name", "FROM a\nCOPY https://h/x /\n", "", "", "0 <a [https:/h/x]"},
	{"a git branch", "FROM a\nADD https://h/x.git#main /\n", "", "", "0 <a uncached(2:5) buildkit(2:5)"},
	{"a git commit", "FROM a\nADD https://h/x.git#0123456789abcdef0123456789abcdef01234567:sub /\n", "", "", "0 <a buildkit(2:5)"},
	{"git by ssh", "FROM a\nADD git@h:x /\n", "", "", "0 <a uncached(2:5) buildkit(2:5)"},
	{"a local archive", "FROM a\nADD x.tar.gz /\n", "", "", "0 <a [x.tar.gz]"},
	{"in a stage that is not reached", "FROM a\nADD https://h/x /\nFROM b\n", "", "", "1 <b"},
	{"ONBUILD is for others", "FROM a\nONBUILD COPY x /\nONBUILD RUN --mount=from=q,target=/q ls\n", "", "", "0 <a"},
	{"unless a stage is built from it", "FROM a AS x\nONBUILD COPY $V /\nONBUILD ADD http://h/x /\nARG V=1\nFROM x\n", "", "",
	 "0,1 <a whole(2:14) uncached(3:13)"},
	{"with all it reads", "FROM a AS b\nFROM a AS x\nONBUILD COPY --from=b y /\nONBUILD COPY z /\nFROM x\nCOPY q /\n", "", "", "0,1,2 <a [z] [q]"},
	{"triggers of an image", "FROM trigger\n", "", "A=1", "0 <trigger A=1 whole(1:6)"},
	{"that read another", "FROM fetch\n", "", "", "0 <fetch whole(1:6) uncached(1:6)"},
	{"ONBUILD of ONBUILD", "FROM a\nONBUILD ONBUILD RUN x\n", "", "", "2:9 ONBUILD can't stand behind ONBUILD"},
	{"a foreign frontend", "#syntax=me/mine:1\nWHATEVER it is\n", "", "A=1", " A=1 whole(1:1) uncached(1:1) buildkit(1:1)"},
	{"one that is given", "FROM a\nCOPY x /\n", "", "BUILDKIT_SYNTAX=me/mine", " BUILDKIT_SYNTAX=me/mine whole(1:1) uncached(1:1) buildkit(1:1)"},
	{"Docker's own", "# syntax=docker/dockerfile:1.7-labs\nFROM a\nCOPY x /\n", "", "", "0 <a [x]"},
	{"under its full name", "# syntax=docker.io/docker/dockerfile@sha256:00\nFROM a\nCOPY x /\n", "", "", "0 <a [x]"},
	{"no relative of it", "# syntax=docker/dockerfile-x\nFROM a\n", "", "", " whole(1:1) uncached(1:1) buildkit(1:1)"},
};

static const struct a_case lines[] = {
	{"comments, blank lines, case", "# a\n\n  from a\n\t# b\n copy x /\n", "", "", "0 <a [x]"},
	{"a line goes on", "FROM a\nCOPY x \\\n  y \\   \n/\n", "", "", "0 <a [x] [y]"},
	{"in the middle of a word", "FROM a\nCO\\\nPY x\\\ny /\n", "", "", "0 <a [xy]"},
	{"comments and blank lines in between", "FROM a\nCOPY x \\\n# no\n\n   # no\n y /\n", "", "", "0 <a [x] [y]"},
	{"a # behind something is no comment", "FROM a\nCOPY x #y /\n", "", "", "0 <a [x] [#y]"},
	{"places behind a joint", "FROM a\nRUN a \\\n # c\n  b \\\n --mount=x\nCOPY x \\\n  --from=0 ${ /\n", "", "", "7:12 ${ has a \"${\" without a \"}\""},
	{"the file ends in a joint", "FROM a\nCOPY x /\\", "", "", "0 <a [x]"},
	{"CRLF", "FROM a\r\nCOPY x \\\r\n y /\r\n", "", "", "0 <a [x] [y]"},
	{"a byte order mark", "\xef\xbb\xbf" "FROM a\n", "", "", "0 <a"},
	{"another escape character", "# escape=`\nFROM a\nCOPY x `\n y\\z /\n", "", "", "0 <a [x] [y\\z] whole(4:2)"},
	{"directives in any order and case", "#ESCAPE = `\n# syntax=docker/dockerfile:1\n# check=skip=all\nFROM a`\n\n", "", "", "0 <a"},
	{"a directive behind a comment is one", "# x\n# escape=`\nFROM a\nCOPY x \\\n y /\n", "", "", "0 <a [x] [y]"},
	{"a directive twice", "# escape=`\n# escape=`\nFROM a\n", "", "", "2:1 the directive escape stands here twice"},
	{"an escape that is none", "# escape=x\nFROM a\n", "", "", "1:1 the escape character is \"\\\" or \"`\", not \"x\""},
	{"an indented directive", " # escape=`\nFROM a\n", "", "",
	 "1:1 a directive begins in the first column, for some engines do not see it elsewhere"},
	{"two escapes at an end", "FROM a\nRUN x \\\\\nCOPY x /\n", "", "",
	 "2:7 engines differ on whether a line that ends in \"\\\\\" goes on in the next; put something behind it"},
	{"an unknown instruction", "FROM a\nCOYP x /\n", "", "", "2:1 unknown instruction COYP"},
	{"every mistake is told", "FROM a\nX\nCOPY\nENV a\n", "", "", "2:1 unknown instruction X; 3:1 there is nothing behind it; 4:5 ENV has a name and no value"},
	{"a heredoc of RUN", "FROM a\nRUN <<EOF\nCOPY no /\nEOF\nCOPY x /\n", "", "", "0 <a [x] buildkit(2:1)"},
	{"indented", "FROM a\nRUN cat <<-'EOF' | sh\nCOPY no /\n\t\tEOF\nCOPY x /\n", "", "", "0 <a [x] buildkit(2:1)"},
	{"several", "FROM a\nCOPY <<A <<\"B\" x /y/\n${ \nB\nA\nA\nB\nCOPY z /\n", "", "", "0 <a [x] [z] buildkit(2:1)"},
	{"behind ONBUILD", "FROM a\nONBUILD RUN 3<<E\nCOPY no /\nE\nCOPY x /\n", "", "", "0 <a [x]"},
	{"no heredoc", "FROM a\nRUN echo \"<<EOF\" $((1<<2)) <<<x\nCOPY x /\n", "", "", "0 <a [x]"},
	{"nor elsewhere", "FROM a\nLABEL a=<<EOF\nCOPY x /\n", "", "", "0 <a [x]"},
	{"nor in a JSON list", "FROM a\nRUN [\"cat\", \"<<EOF\"]\nRUN [\"<<EOF\" , \"x\"]\nCOPY x /\n", "", "", "0 <a [x]"},
	{"one without an end", "FROM a\nRUN <<EOF\nx\n", "", "", "2:5 the heredoc EOF has no end: no line is just that"},
};

static void table(const char *title, const struct a_case *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		is_str(needs_of(str_of(v[i].text), v[i].target, v[i].args, false), v[i].want, "%s: %s", title, v[i].name);
}

static void limits(void)
{
	struct buf b = BUF_INIT(BUF_UNLIMITED);

	is_str(needs_of(S("FROM a\nCOPY t /\nFROM b\nCOPY s /\nFROM c\n"), "1", "", true), "0,1 <a <b [t] [s]", "every stage up to the target");
	is_str(needs_of((struct str){"FROM a\0b\n", 9}, "", "", false), "unable to read Containerfile: it is no text, a byte of it is 0",
	       "a zero byte");
	buf_z(&b, "FROM a\nARG A0=xxxxxxxxxxxxxxxx\n");
	for (int i = 1; i < 40; i++)
		buf_fmt(&b, "ARG A%d=$A%d$A%d\n", i, i - 1, i - 1);
	ok(str_find(needs_of(buf_view(&b), "", "", false), S(" gets too long")) > 0, "values that double are stopped");
	buf_clear(&b);
	buf_z(&b, "FROM a");
	for (int i = 0; i < 1000; i++)
		buf_z(&b, "${x:-");
	ok(str_find(needs_of(buf_view(&b), "", "", false), S(" is nested too deep")) > 0, "nesting has a limit");
	buf_release(&b);
}

int main(void)
{
	table("stages", stages, countof(stages));
	table("args", args, countof(args));
	table("sources", sources, countof(sources));
	table("elsewhere", elsewhere, countof(elsewhere));
	table("lines", lines, countof(lines));
	limits();
	arena_release(&arena);
	return done();
}

#!/bin/sh
# What an image is, asked of real registries without a pull: open, with a password, with tokens; tags that move, platforms,
# damage.
. "${0%/*}/lib.sh"
. "$top/t/testbed/registry.sh"

ask() { "$BUILD/t/ask-image" "$@"; }
told() { sed -n "s/^$1 //p" "$OUT"; }           # of what ask said
says() { grep -q -- "$1" "$OUT"; }
asked() { ask "$@" >"$OUT" 2>&1; }
found() { asked "$@" || { cat "$OUT"; return 1; }; }
identity() { ask registry "$@" 2>&1 | sed -n 's/^identity //p'; }

# ---- open ----
registry_start open
set -- $(image push "$open/app:1" --env A=1 --file a=one)
check 'an image is found' found registry "$open/app:1"
check 'with its manifest' test "$(told manifest)" = "$1"
check 'its configuration' test "$(told config)" = "$2"
check 'and no index' test "$(told index)" = none
check 'a digest is found' found registry "$open/app@$1"
first=$(identity "$open/app:1")
check 'as the same image' test "$(told identity)" = "$first"
check 'the digest alone' found digest "$open/app:1"
check 'is the manifest' test "$(told digest)" = "$1"
check 'an identity is one' expr "$first" : 'sha256:[0-9a-f]*$'

image push "$open/other:x" --env A=1 --file a=one --oci --plain --created 2021-01-01T00:00:00Z --label l=1 >/dev/null
check 'another name, time, form and compression: the same image' test "$(identity "$open/other:x")" = "$first"
image push "$open/app:1" --env A=1 --file a=two >/dev/null
check 'a moved tag is another image' test "$(identity "$open/app:1")" != "$first"
check 'the digest is what it was' test "$(identity "$open/app@$1")" = "$first"
image push "$open/app:2" --env A=2 --file a=one >/dev/null
check 'another environment is another image' test "$(identity "$open/app:2")" != "$first"

# ---- platforms ----
set -- $(image push "$open/multi:amd" --file a=amd) $(image push "$open/multi:arm" --platform linux/arm64/v8 --file a=arm)
index=$(image index "$open/multi:1" "linux/amd64=$1" "linux/arm64/v8=$3")
check 'of an index' found registry "$open/multi:1" linux/amd64
check 'the image for the platform is taken' test "$(told manifest) $(told config)" = "$1 $2"
check 'and the index is told' test "$(told index)" = "$index"
check 'for another platform' found registry "$open/multi:1" arm64
check 'another' test "$(told manifest) $(told platform)" = "$3 linux/arm64/v8"
check 'the index by its digest' found registry "$open/multi@$index" linux/amd64
check 'leads there as well' test "$(told manifest)" = "$1"
refuse 1 'a platform that is not there' ask registry "$open/multi:1" linux/s390x
check 'is named beside those that are' says 'not there for linux/s390x, only for linux/amd64, linux/arm64/v8'
refuse 1 'an image for one platform alone is not taken for another' ask registry "$open/multi:arm" linux/amd64
check 'and says so' says 'is for linux/arm64/v8, not for linux/amd64'

# ---- what is not there ----
refuse 1 'a tag that is not there' ask registry "$open/app:none"
check 'is named' says "has no $open/app:none"
refuse 1 'nor a repository' ask registry "$open/none:1"
refuse 1 'nor a registry' ask registry 127.0.0.1:1/x
check 'is named' says 'unable to ask the registry 127.0.0.1:1'
refuse 1 'an id is of no registry' ask registry sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef

# ---- a password ----
htpasswd -Bbn tester secret >"$T/htpasswd" 2>/dev/null
STORAGE=open registry_start closed "{htpasswd: {realm: test, path: $T/htpasswd}}"
login() {       # REGISTRY USER PASSWORD
	mkdir -p "$HOME/.docker"
	printf '{"auths":{"%s":{"auth":"%s"}}}\n' "$1" "$(printf '%s:%s' "$2" "$3" | base64 -w0)" >"$HOME/.docker/config.json"
}
refuse 1 'without credentials it is closed' ask registry "$closed/app:2"
check 'which is said with what to do' says "no credentials for it; log in: docker login $closed"
login "$closed" tester wrong
refuse 1 'with wrong ones' ask registry "$closed/app:2"
check 'it is said where they come from' says "with the credentials from $HOME/.docker/config.json"
check 'but not what they are' not says wrong
login "$closed" tester secret
check 'with the right ones it opens' found registry "$closed/app:2"
check 'and has the same image' test "$(told identity)" = "$(identity "$open/app:2")"
mkdir -p "$T/bin"
printf '#!/bin/sh\nread -r server; echo "$server" >>"%s"\necho "{\\"Username\\":\\"tester\\",\\"Secret\\":\\"secret\\"}"\n' "$T/helped" >"$T/bin/docker-credential-test"
chmod +x "$T/bin/docker-credential-test"
PATH=$T/bin:$PATH
printf '{"credHelpers":{"%s":"test"}}' "$closed" >"$HOME/.docker/config.json"
check 'a helper gives them, too' found twice "$closed/app:2"
check 'and is asked once' test "$(cat "$T/helped")" = "$closed"
printf '{"credHelpers":{"%s":"absent"}}' "$closed" >"$HOME/.docker/config.json"
refuse 1 'a helper that is not there' ask registry "$closed/app:2"
check 'is named' says docker-credential-absent
rm "$HOME/.docker/config.json"

# ---- tokens ----
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=testbed -days 3 -keyout "$T/key.pem" -out "$T/cert.pem" 2>/dev/null
mkfifo "$T/hold"
/usr/bin/python3 "$top/t/testbed/token-server.py" "$T/cert.pem" "$T/key.pem" tester secret <"$T/hold" >"$T/port" 2>"$T/tokens" &
exec 7>"$T/hold"
until [ -s "$T/port" ]; do sleep .05; done
image push "$open/open/app:1" --file a=open >/dev/null
STORAGE=open registry_start guarded "{token: {realm: \"http://127.0.0.1:$(cat "$T/port")/token\", service: testbed, issuer: testbed, rootcertbundle: $T/cert.pem}}"
check 'anybody gets a token for what is open' found registry "$guarded/open/app:1"
check 'for pulling and nothing else' test "$(cat "$T/tokens")" = 'GET - repository:open/app:pull'
refuse 1 'not for the rest' ask registry "$guarded/app:2"
check 'which is said' says 'no credentials for it'
login "$guarded" tester secret
: >"$T/tokens"
check 'with a password, a token for it' found twice "$guarded/app:2"
check 'which serves all requests' test "$(cat "$T/tokens")" = 'GET tester repository:app:pull'
check 'and is the same image' test "$(told identity | head -n 1)" = "$(identity "$open/app:2")"
login "$guarded" tester wrong
refuse 1 'with a wrong password' ask registry "$guarded/app:2"
check 'it is said where it comes from' says "refuses the credentials from $HOME/.docker/config.json"
check 'but not what it is' not says wrong
printf '{"auths":{"%s":{"identitytoken":"identity-of-tester"}}}' "$guarded" >"$HOME/.docker/config.json"
: >"$T/tokens"
check 'with an identity token' found registry "$guarded/app:2"
check 'the token is fetched the other way' test "$(cat "$T/tokens")" = 'POST tester repository:app:pull'
printf '{"auths":{"%s":{"identitytoken":"identity-of-another"}}}' "$guarded" >"$HOME/.docker/config.json"
refuse 1 'with a wrong one' ask registry "$guarded/app:2"
check 'it is not said what it is' not says identity-of
rm "$HOME/.docker/config.json"

# ---- TLS ----
mkfifo "$T/hold2"
/usr/bin/python3 "$top/t/helper/tls-front.py" "$T/cert.pem" "$T/key.pem" - "${open#*:}" <"$T/hold2" >"$T/tlsport" 2>/dev/null &
exec 8>"$T/hold2"
until [ -s "$T/tlsport" ]; do sleep .05; done
check 'on this machine any certificate will do' found registry "127.0.0.1:$(cat "$T/tlsport")/app:2"

# ---- what no real one answers ----
mkfifo "$T/hold3"
mkdir -p canned
/usr/bin/python3 "$top/t/testbed/canned.py" canned <"$T/hold3" >"$T/cannedport" 2>"$T/requests" &
exec 9>"$T/hold3"
until [ -s "$T/cannedport" ]; do sleep .05; done
canned=127.0.0.1:$(cat "$T/cannedport")
answer() { cat >"canned/$1"; }          # to /v2/x/manifests/NAME: status, headers, an empty line, the body
printf '429\nRetry-After: 77\n\n{"errors":[{"code":"TOOMANYREQUESTS","message":"slow\\u001b[31m down"}]}' | answer limit
refuse 1 'a limit' ask registry "$canned/x:limit"
check 'is told, without what would colour a terminal' says 'the limit is reached: slow?\[31m down; try again in 77 s'
printf '500\n\n' | answer broken
refuse 1 'a registry that is broken' ask registry "$canned/x:broken"
check 'is said to be' says 'answers with status 500'
printf '200\n\n<html>' | answer html
refuse 1 'what is no manifest' ask registry "$canned/x:html"
check 'is seen' says "can't be used: it is no JSON object"
{ printf '200\n\n'; head -c 5000000 /dev/zero; } | answer large
refuse 1 'what is too large' ask registry "$canned/x:large"
printf '200\nDocker-Content-Digest: sha256:%064d\n\n{}' 0 | answer other
refuse 1 'a digest that is not that of the content' ask registry "$canned/x:other"
check 'is seen' says 'not the one of the digest'
printf '401\nWWW-Authenticate: Bearer realm="ftp://x/"\n\n' | answer nowhere
refuse 1 'a token server that is none' ask registry "$canned/x:nowhere"
check 'is refused' says 'no usable address'
login "$canned" tester hidden
printf '401\nWWW-Authenticate: Basic realm="x"\n\n' | answer basic
refuse 1 'a password' ask registry "$canned/x:basic"
check 'goes to the registry' grep -q '^/v2/x/manifests/basic Basic' "$T/requests"
check 'only when it is asked for' test "$(grep -c '^/v2/x/manifests/basic' "$T/requests") $(grep -c '^/v2/x/manifests/basic Basic' "$T/requests")" = '2 1'
printf '200\n\n{}' | answer basic
: >"$T/requests"
printf '401-unless-authorized\nWWW-Authenticate: Basic realm="x"\nLocation: http://localhost:%s/v2/x/manifests/basic\n\n' "${canned#*:}" | answer away
refuse 1 'a redirection' ask registry "$canned/x:away"
check 'is followed, but not by the password' test "$(tail -n 2 "$T/requests" | sed 's/ Basic.*/ Basic/' | tr '\n' ,)" = '/v2/x/manifests/away Basic,/v2/x/manifests/basic -,'
rm "$HOME/.docker/config.json"

# ---- damage ----
blob() { find "$T/registry/open" -path "*/${1#sha256:}/data"; }
set -- $(image push "$open/bad:1" --file a=bad)
check 'sound' found registry "$open/bad:1"
printf ' ' >>"$(blob "$2")"
refuse 1 'a damaged configuration' ask registry "$open/bad:1"
check 'is not believed' says 'its configuration is not the one that its manifest names'
set -- $(image push "$open/bad:2" --file a=worse)
printf ' ' >>"$(blob "$1")"
refuse 1 'nor a damaged manifest' ask registry "$open/bad@$1"
check 'which is seen' says 'its manifest is not the one of the digest'
finish

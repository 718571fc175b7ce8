/* ${{ }}: checking, walking and expanding any text. What passes the check never fails to walk. */
#include "spec/expr.h"

static int lookup(void *ctx, struct str head, struct str member, struct value *out, struct err *err)
{
	static struct str names[] = {S("a"), S("b")};
	static struct value items[2];
	(void)ctx, (void)err;
	items[0] = value_str(S("dir/a b.c"));
	items[1] = value_plain(S("1.50"));
	if (str_is(head, "git"))
		return EXPR_ASKED;
	if (str_is(head, "os"))
		*out = value_bool(true);
	else if (str_is(head, "out"))
		*out = value_list(items, 2);
	else if (!str_is(head, "vars"))
		return 0;
	else if (!member.s)
		*out = (struct value){.kind = VALUE_MAP, .names = names, .items = items, .n = 2};
	else if (str_is(member, "a") || str_is(member, "b"))
		*out = items[member.s[0] == 'b'];
	else
		return 0;
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct str heads[] = {S("vars"), S("git"), S("os"), S("out")};
	static const struct scope scope = {.lookup = lookup, .heads = heads, .nheads = countof(heads)};
	struct arena arena = ARENA_INIT;
	struct err err = ERR_INIT;
	struct text t = {.s = {arena_dup(&arena, data, size), size}};
	struct str out, *names;
	struct value v;
	size_t n;
	text_check(&t, &err);
	text_names(&arena, &t, &names, &n);
	text_expand(&arena, &t, &scope, EXPAND_RAW, &out, &err);
	text_expand(&arena, &t, &scope, EXPAND_PATTERN, &out, &err);
	text_value(&arena, &t, &scope, &v, &err);
	shell_quote(&arena, t.s);
	err_release(&err);
	arena_release(&arena);
	return 0;
}

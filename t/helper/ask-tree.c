/* ask-tree: answers of a workspace's tree, for shell tests.
 *	ask-tree ROOT [glob PATTERN | path PATH | sources | looked] ...
 * Items are NUL-terminated; exits 1 with the text when there is a problem. */
#include "resolve/tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

static void print(struct str s)
{
	fwrite(s.s, 1, s.n, stdout);
	putchar(0);
}

int main(int argc, char **argv)
{
	struct arena arena = ARENA_INIT;
	struct question questions[256];
	struct answer answers[256] = {0};
	struct err err = ERR_INIT;
	struct tree *tree;
	size_t n = 0, nlooked;
	bool looked = false;
	char *root = argc > 1 ? realpath(argv[1], NULL) : NULL;
	int fd = root ? open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1, status = 0;

	if (fd < 0)
		return 2;
	for (int i = 2; i < argc && n < countof(questions); i++) {
		struct question *q = &questions[n];

		*q = (struct question){0};
		if (!strcmp(argv[i], "looked")) {
			looked = true;
			continue;
		}
		q->kind = !strcmp(argv[i], "glob") ? Q_GLOB : !strcmp(argv[i], "path") ? Q_PATH : Q_SOURCES;
		q->text = q->kind == Q_SOURCES ? S("") : str_of(argv[++i]);
		n++;
	}
	tree = tree_open(&arena, fd, str_of(root));
	if (tree_answer(tree, questions, n, answers, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		status = 1;
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < answers[i].n; k++)
			print(answers[i].items[k]);
		if (answers[i].problem.n) {
			fprintf(stderr, STR_FMT "\n", STR_ARG(answers[i].problem));
			status = 1;
		}
	}
	for (size_t i = 0; looked && i < (tree_looked(tree, &nlooked), nlooked); i++)
		print(tree_looked(tree, &nlooked)[i].path);
	tree_close(tree);
	arena_release(&arena);
	err_release(&err);
	free(root);
	return status;
}

/* imageid.h: what an image is to a step, and the number that says so.
 *
 * An image's identity is the SHA-256 of its description: a manifest (plan/manifest.h) of operating system, architecture,
 * the digests of its layers as unpacked ("diff ids") and of the configuration a step can observe. The same number comes from
 * a registry's configuration blob and from what Docker or Podman say of a local image, whatever store or compression holds it.
 *
 * Of the configuration count: Env in its order, Entrypoint, Cmd, WorkingDir ("" is "/"), User, Volumes, StopSignal.
 * Do not count, for a step can't see them: names, labels, times, history, author, ExposedPorts, Healthcheck (cairn switches it
 * off), OnBuild and Shell (they act on builds; Podman does not even tell them), host names; nor the variant of the architecture,
 * which says for what the layers were compiled and not what they are (Podman leaves it out as well). Absent, null and empty
 * are one and the same. */
#pragma once

#include "base/digest.h"
#include "base/imageref.h"
#include "base/node.h"

#define IMAGEID_JSON_MAX (8u << 20)     /* bytes of a configuration or of an engine's answer */
#define IMAGEID_LAYERS_MAX 1024

struct imageid {
	struct digest identity;
	struct str description;         /* the manifest it is the hash of */
	struct platform platform;       /* as the image says, with its variant where that was told */
	struct str *env; size_t nenv;   /* NAME=VALUE, in its order */
	/* For those who build on it. */
	bool builder_told;              /* onbuild and shell are what the image has. false: an engine's answer that holds neither; from
					   Docker the image has none then, while Podman never tells */
	struct str *onbuild; size_t nonbuild;
	struct str *shell; size_t nshell;
};

/* text: a configuration blob (OCI or Docker), or what an engine answers to "inspect image" (Docker, Podman's two).
 * Which of them it is, is seen by what it holds. -1 with the reason, which begins with "the image's configuration". */
int imageid_read(struct arena *, struct str text, struct imageid *out, struct err *);
/* The same of what has been parsed. */
int imageid_of(struct arena *, const struct node *root, struct imageid *out, struct err *);

/* What makes b another image than a, from their descriptions, a sentence each: "layer 3 differs", "env PATH was '/bin' and is
 * '/usr/bin'", "the entrypoint differs: ...". -1: one is no description. */
int imageid_differences(struct arena *, struct str a, struct str b, struct str **out, size_t *n);

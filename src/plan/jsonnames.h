/* jsonnames.h: the words of the exported plan, shared by its writer and its reader. Private to this room. */
#pragma once

#include "plan/plan.h"

#define PLAN_JSON_FORMAT 1

struct plan_flag_name { const char *name; uint32_t flag; };
extern const struct plan_flag_name plan_flag_names[];
extern const size_t nplan_flag_names;
extern const char *const plan_script_names[4];          /* by SCRIPT_KIND_* */
extern const char *const plan_runtime_names[3];         /* by RUNTIME_KIND_* */
extern const char *const plan_pull_names[3];            /* by PULL_KIND_* */
extern const char *const plan_mount_names[4];           /* by MOUNT_KIND_* */
extern const char *const plan_docker_names[6];          /* by DOCKER_KIND_* */
extern const struct plan_flag_name plan_place_flag_names[];
extern const size_t nplan_place_flag_names;
extern const char *const plan_workspace_names[3];       /* by enum workspace_mode */
extern const char *const plan_require_names[3];         /* by REQUIRE_* */
extern const char *const plan_secret_names[2];          /* by SECRET_KIND_* */
extern const char *const plan_entry_names[4];           /* by enum entry_type */

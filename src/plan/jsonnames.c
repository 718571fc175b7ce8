#include "plan/jsonnames.h"

const struct plan_flag_name plan_flag_names[] = {
	{"cached", STEP_CACHED}, {"all_sources", STEP_ALL_SOURCES}, {"skip", STEP_SKIP}, {"keep_outputs", STEP_KEEP},
	{"tracked_outputs", STEP_TRACKED}, {"console", STEP_CONSOLE}, {"continue_on_failure", STEP_CONTINUE},
	{"shebang", STEP_SHEBANG}, {"dynamic", STEP_DYNAMIC}, {"script_file", STEP_SCRIPT_FILE},
};
const size_t nplan_flag_names = countof(plan_flag_names);
const struct plan_flag_name plan_place_flag_names[] = {
	{"network_none", PLACE_NETWORK_NONE}, {"reuse", PLACE_REUSE}, {"host_ssh", PLACE_HOST_SSH}, {"nonroot", PLACE_NONROOT},
	{"no_new_privs", PLACE_NO_NEW_PRIVS}, {"private_tmp", PLACE_PRIVATE_TMP}, {"readonly_fs", PLACE_READONLY_FS},
	{"only_capabilities", PLACE_CAPABILITIES}, {"best_effort", PLACE_BEST_EFFORT},
};
const size_t nplan_place_flag_names = countof(plan_place_flag_names);
const char *const plan_script_names[4] = {"run", "exec", "group", "image"};
const char *const plan_runtime_names[3] = {"native", "container", "pod"};
const char *const plan_pull_names[3] = {"missing", "always", "never"};
const char *const plan_mount_names[4] = {"bind", "volume", "tmpfs", "custom"};
const char *const plan_docker_names[6] = {"none", "configured", "rootless", "privileged", "kata-qemu", "kata-fc"};
const char *const plan_workspace_names[3] = {"rw", "ro", "copy"};
const char *const plan_require_names[3] = {"tool", "file", "env"};
const char *const plan_secret_names[2] = {"env", "file"};
const char *const plan_entry_names[4] = {"absent", "file", "link", "folder"};

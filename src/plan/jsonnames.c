#include "plan/jsonnames.h"

const struct plan_flag_name plan_flag_names[] = {
	{"cached", STEP_CACHED}, {"all_sources", STEP_ALL_SOURCES}, {"skip", STEP_SKIP}, {"keep_outputs", STEP_KEEP},
	{"tracked_outputs", STEP_TRACKED}, {"console", STEP_CONSOLE}, {"continue_on_failure", STEP_CONTINUE},
	{"shebang", STEP_SHEBANG}, {"dynamic", STEP_DYNAMIC}, {"script_file", STEP_SCRIPT_FILE},
};
const size_t nplan_flag_names = countof(plan_flag_names);
const char *const plan_script_names[3] = {"run", "exec", "group"};
const char *const plan_workspace_names[3] = {"rw", "ro", "copy"};
const char *const plan_require_names[3] = {"tool", "file", "env"};
const char *const plan_secret_names[2] = {"env", "file"};
const char *const plan_entry_names[4] = {"absent", "file", "link", "folder"};

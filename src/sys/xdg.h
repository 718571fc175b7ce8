/* xdg.h: where state, cache and configuration live. Absolute paths; empty or relative values of the
 * variables are ignored as the XDG specification asks. */
#pragma once

#include "base/err.h"

int xdg_state(struct arena *, struct str *out, struct err *);   /* $XDG_STATE_HOME/cairn, ~/.local/state/cairn */
int xdg_cache(struct arena *, struct str *out, struct err *);   /* $XDG_CACHE_HOME/cairn, ~/.cache/cairn */
int xdg_config(struct arena *, struct str *out, struct err *);  /* $XDG_CONFIG_HOME/cairn, ~/.config/cairn */

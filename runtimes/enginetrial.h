/* enginetrial.h: does an engine really run containers? Found out with an image made on the spot of cairn-shim alone, so that
 * nothing comes from outside and no image of the user's is needed. Whatever is made is removed again. */
#pragma once

#include "runtimes/engine.h"

/* Turns the loop. 0: a container ran; -1: err says what did not go, in the engine's words. */
int engine_trial(struct engine *, struct err *);
/* What may help against what a trial said; {NULL}: nothing is known. */
struct str engine_trial_advice(struct str problem);

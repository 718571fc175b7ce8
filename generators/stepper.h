/* stepper.h: the shell text that runs steps the way cairn's native runtime does, without cairn: the same environment,
 * time limits, retries and treatment of outputs; and a step again only when what it rests on differs in content. Make
 * and ninja write it into a file beside the records, the sh generator begins with it.
 *
 * It reads $_S, the folder of records, and $_mode: make, ninja or sh. A step is `step NAME SLUG`, words that say what it
 * is (block.h writes them), and one that runs it. */
#pragma once

extern const char stepper_text[];

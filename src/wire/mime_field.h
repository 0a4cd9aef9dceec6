/* Puts a header field into a part of the tree. The MIME parser's own. */
#ifndef HOLDFAST_WIRE_MIME_FIELD_H
#define HOLDFAST_WIRE_MIME_FIELD_H

#include "wire/mime.h"

void mime_part_take_field(struct mime_part *part, struct arena *arena, struct str name, struct str value);

#endif

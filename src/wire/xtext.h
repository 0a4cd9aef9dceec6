/* xtext (RFC 3461 section 4): how ENVID, ORCPT and AUTH= carry any text within printable ASCII. Pure. */
#ifndef HOLDFAST_WIRE_XTEXT_H
#define HOLDFAST_WIRE_XTEXT_H

#include "base/buf.h"
#include "base/check.h"
#include "base/str.h"

void xtext_encode(struct buf *out, struct str s);
/* Appends what it stands for, never longer than xtext itself. ERR_SYNTAX: it is none; out may have got a
 * part. */
int xtext_decode(struct buf *out, struct str xtext) MUST_USE;

#endif

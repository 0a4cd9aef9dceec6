/* International domain names (RFC 5890): the A-label form ("xn--..."), by which domains are looked up and
 * compared. Pure. */
#ifndef HOLDFAST_SMTP_IDN_H
#define HOLDFAST_SMTP_IDN_H

#include "base/check.h"
#include "base/str.h"

#define IDN_NAME_MAX 255 /* RFC 5321 4.5.3.1.2 */

/* domain: UTF-8, as smtp_path_parse let it through; ASCII alone is only made lower case. out gets it with
 * NUL. ERR_SYNTAX: IDNA2008 has no such name. */
int idn_to_ascii(struct str domain, char out[IDN_NAME_MAX + 1]) MUST_USE;

#endif

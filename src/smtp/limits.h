/* What both sides of a session between our own parts hold to. */
#ifndef HOLDFAST_SMTP_LIMITS_H
#define HOLDFAST_SMTP_LIMITS_H

/* The size of a message is judged where it comes in; each hop of ours then adds
 * its trace fields. A server that has proved its peer (XHOLDFAST) takes so much
 * above SIZE, and the peer counts on it: else mail at the limit would be accepted
 * and then refused for good. */
#define SMTP_PEER_TRACE_MAX_BYTES 65536

#endif

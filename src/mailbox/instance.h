/* Inside the mailbox role: what its sessions share. */
#ifndef HOLDFAST_MAILBOX_INSTANCE_H
#define HOLDFAST_MAILBOX_INSTANCE_H

#include "auth/password_queue.h"
#include "auth/peer.h"
#include "base/list.h"
#include "imap/session.h"
#include "loop/loop.h"
#include "mailbox/directory.h"
#include "mailbox/relays.h"
#include "mailbox/tenure.h"
#include "mailbox/upgrade.h"
#include "net/entrance.h"
#include "net/log_limit.h"
#include "net/proxies.h"
#include "net/tls_server.h"
#include "pop3/session.h"
#include "smtp/client.h"
#include "smtp/server.h"
#include "store/lease.h"
#include "store/mail.h"

struct instance {
    struct loop *loop;
    const struct config *config;
    const struct config_server *server;
    struct mail *mail;
    struct directory *directory;
    struct password_queue *passwords;
    struct upgrade *upgrade;
    bool peer_key_known;
    struct peer_key peer_key;
    char address[ADDR_TEXT_MAX]; /* as the network's record has it */
    struct tls_server *tls;
    struct smtp_server_options smtp_options, lmtp_options, submission_options,
        submission_away_options; /* for peers that may not send passwords as they are */
    struct relays relays;        /* for what users submit */
    struct imap_options imap_options;
    struct pop3_options pop3_options;
    struct log_limit *log_limit;
    enum tenure tenure;
    struct lease *lease; /* that the server is ours */
    bool closing;
    struct entrance entrance;
    struct proxies *proxies;
    struct list sessions; /* each begins with a struct session_node */
    void (*on_fenced)(struct instance *i);
};

/* It has the right to be its server now, also by the clock: a process that stood still asks before any timer
 * has fired. Else no mail is taken and nobody logs in. */
bool instance_serves(const struct instance *i);

/* What every session begins with, so that they can be ended together. */
struct session_node {
    struct list node;
    struct instance *instance;
    struct admission_slot slot;
    bool takes_mail;                           /* it ends with the right to take mail */
    void (*shutdown)(struct session_node *s);  /* politely */
    void (*make_room)(struct session_node *s); /* now, with a farewell; frees it */
    void (*cut)(struct session_node *s);       /* now; frees it */
};

void session_node_init(struct session_node *s, struct instance *i, const struct addr *peer);
void session_node_fini(struct session_node *s);

/* New connections, let in before. Each takes the stream. tls: from its first byte (RFC 8314). */
void intake_accept(struct instance *i, const struct smtp_server_options *options, struct loop_stream *stream,
                   const struct addr *peer, bool tls);
void submission_accept(struct instance *i, struct loop_stream *stream, const struct addr *peer, bool tls);
void imap_accept(struct instance *i, struct loop_stream *stream, const struct addr *peer, bool tls);
void pop3_accept(struct instance *i, struct loop_stream *stream, const struct addr *peer, bool tls);

#endif

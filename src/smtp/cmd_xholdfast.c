/* XHOLDFAST node client-nonce proof: our own parts prove themselves to each
 * other (auth/peer.h); the server's reply proves it in turn. Afterwards MAIL
 * takes XCUSTODY. The nonce of the session serves once. */
#include <string.h>

#include "smtp/server_machine.h"

struct peer_args {
    struct str node, proof;
    struct peer_nonce nonce;
};

static bool is_node(struct str node)
{
    for (size_t i = 0; i < node.len; i++)
        if (!ascii_isalnum(node.ptr[i]) && (node.ptr[i] == '\0' || !strchr("._-", node.ptr[i])))
            return false;
    return node.len > 0 && node.len <= PEER_NODE_MAX;
}

static bool parse_args(struct str args, struct peer_args *ret)
{
    struct str nonce;
    return str_split(&args, ' ', &ret->node) && str_split(&args, ' ', &nonce) &&
           str_split(&args, ' ', &ret->proof) && !args.ptr && is_node(ret->node) &&
           peer_nonce_parse(nonce, &ret->nonce) == 0;
}

void cmd_xholdfast(struct smtp_server *s, struct str args)
{
    struct peer_args peer;
    char proof[PEER_PROOF_TEXT];
    const struct peer_key *key = s->options->peer_key;
    if (!key) {
        server_refuse(s, SMTP_REPLY(500, 5, 5, 1, "Command not recognized"));
    } else if (!s->esmtp || s->transaction || s->nonce_spent) {
        server_refuse(s, SMTP_REPLY(503, 5, 5, 1, "XHOLDFAST is not allowed now"));
    } else if (!parse_args(args, &peer)) {
        server_refuse(s, SMTP_REPLY(501, 5, 5, 4, "Syntax: XHOLDFAST node nonce proof"));
    } else {
        s->nonce_spent = true;
        if (!peer_proof_check(PEER_CLIENT, key, &s->nonce, &peer.nonce, peer.node, peer.proof)) {
            server_refuse(s, SMTP_REPLY(535, 5, 7, 8, "Proof does not hold"));
            return;
        }
        memcpy(s->peer_node, peer.node.ptr, peer.node.len);
        s->peer_node[peer.node.len] = '\0';
        peer_proof_make(PEER_SERVER, key, &s->nonce, &peer.nonce, peer.node, proof);
        server_write(s, &(struct smtp_reply){235, {2, 7, 0}, str_from(proof)});
    }
}

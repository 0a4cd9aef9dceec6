/* XHOLDFAST node client-nonce proof: our own parts prove themselves to each
 * other (auth/peer.h); the server's reply proves it in turn. Afterwards MAIL
 * takes XCUSTODY. The nonce of the session serves once. Who we are, where, and the TLS channel are in the
 * proof: one that was made for another part of ours, or on the other side of somebody, does not hold. */
#include <string.h>

#include "smtp/server_machine.h"

/* Under TLS a proof must be bound to it. */
bool server_takes_peers(const struct smtp_server *s)
{
    return s->options->peer_key && s->has_channel == (s->tls[0] != '\0');
}

static bool is_node(struct str node)
{
    for (size_t i = 0; i < node.len; i++)
        if (!ascii_isalnum(node.ptr[i]) && (node.ptr[i] == '\0' || !strchr("._-", node.ptr[i])))
            return false;
    return node.len > 0 && node.len <= PEER_NODE_MAX;
}

static bool parse_args(struct str args, struct peer_talk *talk, struct str *ret_proof)
{
    struct str nonce;
    return str_split(&args, ' ', &talk->node) && str_split(&args, ' ', &nonce) &&
           str_split(&args, ' ', ret_proof) && !args.ptr && is_node(talk->node) &&
           peer_nonce_parse(nonce, &talk->client_nonce) == 0;
}

static void judge(struct smtp_server *s, const struct peer_talk *talk, struct str client_proof)
{
    char proof[PEER_PROOF_TEXT];
    s->nonce_spent = true;
    if (!peer_proof_check(PEER_CLIENT, s->options->peer_key, talk, client_proof)) {
        server_refuse(s, SMTP_REPLY(535, 5, 7, 8, "Proof does not hold"));
        return;
    }
    memcpy(s->peer_node, talk->node.ptr, talk->node.len);
    s->peer_node[talk->node.len] = '\0';
    peer_proof_make(PEER_SERVER, s->options->peer_key, talk, proof);
    server_write(s, &(struct smtp_reply){235, {2, 7, 0}, str_from(proof)});
}

void cmd_xholdfast(struct smtp_server *s, struct str args)
{
    struct str proof = STR_EMPTY;
    struct peer_talk talk = {
        .server_nonce = s->nonce,
        .server = s->options->peer,
        .address = str_from(s->options->peer_address ? s->options->peer_address : ""),
        .channel = {(const char *)s->channel, s->has_channel ? sizeof(s->channel) : 0},
    };
    if (!server_takes_peers(s))
        server_refuse(s, SMTP_REPLY(500, 5, 5, 1, "Command not recognized"));
    else if (!s->esmtp || s->transaction || s->nonce_spent)
        server_refuse(s, SMTP_REPLY(503, 5, 5, 1, "XHOLDFAST is not allowed now"));
    else if (!parse_args(args, &talk, &proof))
        server_refuse(s, SMTP_REPLY(501, 5, 5, 4, "Syntax: XHOLDFAST node nonce proof"));
    else
        judge(s, &talk, proof);
}

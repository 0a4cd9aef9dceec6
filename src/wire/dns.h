/* Numbers of the DNS protocol (RFC 1035, 6895, 6891), for the codec and the
 * DNS role. */
#ifndef HOLDFAST_WIRE_DNS_H
#define HOLDFAST_WIRE_DNS_H

#define DNS_HEADER_BYTES  12
#define DNS_UDP_MIN_BYTES 512   /* without EDNS(0): RFC 1035 4.2.1 */
#define DNS_UDP_CAP_BYTES 1232  /* ours with it: fits IPv6's minimum MTU, no fragments (DNS flag day 2020) */
#define DNS_TCP_MAX_BYTES 65535 /* RFC 1035 4.2.2 */
#define DNS_OPT_BYTES     11    /* our OPT record, without options */

enum {
    DNS_CLASS_IN = 1,
};

enum dns_type {
    DNS_TYPE_A = 1,
    DNS_TYPE_NS = 2,
    DNS_TYPE_CNAME = 5,
    DNS_TYPE_SOA = 6,
    DNS_TYPE_PTR = 12,
    DNS_TYPE_MX = 15,
    DNS_TYPE_TXT = 16,
    DNS_TYPE_AAAA = 28,
    DNS_TYPE_DNAME = 39,
    DNS_TYPE_OPT = 41,
    DNS_TYPE_DS = 43,
    DNS_TYPE_META_FIRST = 128, /* 128 to 255 are asked for, never stored: RFC 6895 3.1 */
    DNS_TYPE_IXFR = 251,
    DNS_TYPE_AXFR = 252,
    DNS_TYPE_ANY = 255,
};

enum dns_rcode {
    DNS_NOERROR = 0,
    DNS_FORMERR = 1,
    DNS_SERVFAIL = 2,
    DNS_NXDOMAIN = 3,
    DNS_NOTIMP = 4,
    DNS_REFUSED = 5,
    DNS_BADVERS = 16, /* its upper bits are in the OPT record: RFC 6891 6.1.3 */
};

enum {
    DNS_FLAG_QR = 0x8000,
    DNS_OPCODE_SHIFT = 11,
    DNS_OPCODE_MASK = 0x7800,
    DNS_FLAG_AA = 0x0400,
    DNS_FLAG_TC = 0x0200,
    DNS_FLAG_RD = 0x0100,
    DNS_FLAG_CD = 0x0010,
    DNS_EDNS_FLAG_DO = 0x8000, /* RFC 3225 */
};

#endif

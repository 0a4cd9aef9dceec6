/* Passwords at the least price that libsodium takes: there are thousands of logins, and what a hash costs an
 * attacker is nothing that happens between the parts of a network. Stands before libsodium, see meson.build.
 */
#include <sodium.h>

int __real_crypto_pwhash_str(char *out, const char *password, unsigned long long len,
                             unsigned long long passes, size_t memory_bytes);
int __wrap_crypto_pwhash_str(char *out, const char *password, unsigned long long len,
                             unsigned long long passes, size_t memory_bytes);
int __real_crypto_pwhash_str_needs_rehash(const char *hash, unsigned long long passes, size_t memory_bytes);
int __wrap_crypto_pwhash_str_needs_rehash(const char *hash, unsigned long long passes, size_t memory_bytes);

int __wrap_crypto_pwhash_str(char *out, const char *password, unsigned long long len,
                             unsigned long long passes, size_t memory_bytes)
{
    (void)passes, (void)memory_bytes;
    return __real_crypto_pwhash_str(out, password, len, crypto_pwhash_OPSLIMIT_MIN,
                                    crypto_pwhash_MEMLIMIT_MIN);
}

int __wrap_crypto_pwhash_str_needs_rehash(const char *hash, unsigned long long passes, size_t memory_bytes)
{
    (void)passes, (void)memory_bytes;
    return __real_crypto_pwhash_str_needs_rehash(hash, crypto_pwhash_OPSLIMIT_MIN,
                                                 crypto_pwhash_MEMLIMIT_MIN);
}

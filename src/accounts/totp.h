/*
 * The second factor: codes of an authenticator app (TOTP, RFC 6238: SHA-1, 30 seconds, six digits, one step of tolerance either
 * way, each code once), and ten recovery codes that are good once each. The app's key is sealed under the owner's data key.
 * Every change is audited in its own transaction. All of these may wait.
 */
#ifndef ACCOUNTS_TOTP_H
#define ACCOUNTS_TOTP_H

#include "store/profiles.h"

enum {
    TOTP_KEY_BYTES = 20,
    TOTP_STEP_S = 30,
    TOTP_DIGITS = 6,
    TOTP_RECOVERY_CODES = 10,
    TOTP_RECOVERY_CHARS = 26, /* 130 bits, shown in groups */
};

/* A new key, not yet asked for at login. *ret_secret is base32, *ret_uri what a QR code holds (otpauth://...). E_CONFLICT: on. */
MUST_CHECK int totp_begin(struct call *call, int64_t user_id, struct str email, struct str *ret_secret,
                          struct str *ret_uri);
/* With a code that shows the app has the key: from now on it is asked for. The recovery codes are shown this once. */
MUST_CHECK int totp_confirm(struct call *call, int64_t user_id, struct str code,
                            struct str ret_codes[TOTP_RECOVERY_CODES]);
MUST_CHECK int totp_end(struct call *call, int64_t user_id);

/* A code of the app, or a recovery code, which is used up. E_UNAUTHENTICATED (without a text): neither. */
MUST_CHECK int totp_check(struct call *call, int64_t user_id, const struct profile_row *profile, struct str code);

/* The code of that key at that step: pure. */
uint32_t totp_code(const unsigned char key[TOTP_KEY_BYTES], int64_t step);

#endif

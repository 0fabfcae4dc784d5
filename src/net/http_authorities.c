/* The certificate authorities that the HTTP client trusts. */
#include <openssl/ssl.h> /* before base/banned.h: it uses a banned name */

#include "net/http_authorities.h"

#include <dirent.h>
#include <stdlib.h>

static X509_STORE *authorities;

/* Does the system's directory of certificates have the names by hash that OpenSSL looks up? */
static bool has_hashed_directory(void)
{
    const char *named = getenv(X509_get_default_cert_dir_env());
    DIR *directory = opendir(named ? named : X509_get_default_cert_dir());
    bool found = false;
    for (struct dirent *entry; directory && !found && (entry = readdir(directory));)
        found = str_ends_with(str_from(entry->d_name), STR(".0"));
    if (directory)
        closedir(directory);
    return found;
}

/*
 * From the directory a certificate is read when it is needed; the one file with all of them costs a start 30 ms of parsing and
 * a megabyte for good, so it is only the second choice. Further authorities: PORTEIRO_CA_FILE.
 */
static void use_system_authorities(X509_STORE *store)
{
    X509_LOOKUP *lookup = has_hashed_directory() ? X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir()) : NULL;
    if (!lookup || X509_LOOKUP_add_dir(lookup, NULL, X509_FILETYPE_DEFAULT) != 1)
        X509_STORE_set_default_paths(store);
}

int http_authorities_init(const char *file)
{
    authorities = X509_STORE_new();
    if (!authorities)
        return E_UNAVAILABLE;
    use_system_authorities(authorities);
    if (!file || X509_STORE_load_file(authorities, file) == 1)
        return OK;
    http_authorities_done();
    return E_INVALID;
}

void http_authorities_done(void)
{
    X509_STORE_free(authorities);
    authorities = NULL;
}

CURLcode http_authorities_install(CURL *easy, void *context, void *user)
{
    (void)easy;
    (void)user;
    SSL_CTX_set1_cert_store(context, authorities);
    return CURLE_OK;
}

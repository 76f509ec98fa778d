// Certificates of a test's own making: an authority, and what it signs.
#pragma once

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace lathe::manager::testing {

struct FreeCertificate {
  void operator()(X509* x) const { X509_free(x); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Certificate = std::unique_ptr<X509, FreeCertificate>;
using PrivateKey = std::unique_ptr<EVP_PKEY, FreeCertificate>;

/// A certificate with its key; without `issuer` it signs itself and may sign others.
class Identity {
 public:
  Identity(const std::string& name, const std::string& alternative_names, const Identity* issuer = nullptr,
           int rsa_bits = 0)
      : key_(rsa_bits > 0 ? EVP_RSA_gen(static_cast<unsigned>(rsa_bits)) : EVP_EC_gen("P-256")), x509_(X509_new()) {
    X509* x = x509_.get();
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial());
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key_.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(issuer == nullptr ? x : issuer->x509_.get()));
    extend(NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!alternative_names.empty()) extend(NID_subject_alt_name, alternative_names);
    X509_sign(x, (issuer == nullptr ? *this : *issuer).key_.get(), EVP_sha256());
  }

  std::string certificate() const {
    return text([&](BIO* out) { PEM_write_bio_X509(out, x509_.get()); });
  }
  /// Without a passphrase unless one is given.
  std::string key(const char* passphrase = nullptr) const {
    return text([&](BIO* out) {
      PEM_write_bio_PrivateKey(out, key_.get(), passphrase == nullptr ? nullptr : EVP_aes_256_cbc(), nullptr, 0,
                               nullptr, const_cast<char*>(passphrase));
    });
  }

 private:
  static long& serial() {
    static long number = 0;
    return number;
  }
  void extend(int kind, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    X509_add_ext(x509_.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }
  template <class Write>
  static std::string text(Write write) {
    const std::unique_ptr<BIO, FreeCertificate> bio(BIO_new(BIO_s_mem()));
    write(bio.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
  }

  PrivateKey key_;
  Certificate x509_;
};

inline void write_file(const std::filesystem::path& path, const std::string& text,
                       std::filesystem::perms mode = std::filesystem::perms::owner_all) {
  std::ofstream(path, std::ios::trunc) << text;
  std::filesystem::permissions(path, mode);
}

}  // namespace lathe::manager::testing

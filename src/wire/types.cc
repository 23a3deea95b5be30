#include "wire/types.h"

#include <algorithm>
#include <charconv>
#include <span>

namespace peregrine {
namespace {

struct Name {
  uint16_t number;
  std::string_view text;
};

// IANA "Resource Record (RR) TYPEs", by number.
constexpr Name type_names[] = {
    {1, "A"},        {2, "NS"},     {3, "MD"},       {4, "MF"},          {5, "CNAME"},      {6, "SOA"},
    {7, "MB"},       {8, "MG"},     {9, "MR"},       {10, "NULL"},       {11, "WKS"},       {12, "PTR"},
    {13, "HINFO"},   {14, "MINFO"}, {15, "MX"},      {16, "TXT"},        {17, "RP"},        {18, "AFSDB"},
    {19, "X25"},     {20, "ISDN"},  {21, "RT"},      {22, "NSAP"},       {24, "SIG"},       {25, "KEY"},
    {26, "PX"},      {27, "GPOS"},  {28, "AAAA"},    {29, "LOC"},        {30, "NXT"},       {33, "SRV"},
    {35, "NAPTR"},   {36, "KX"},    {37, "CERT"},    {38, "A6"},         {39, "DNAME"},     {41, "OPT"},
    {42, "APL"},     {43, "DS"},    {44, "SSHFP"},   {45, "IPSECKEY"},   {46, "RRSIG"},     {47, "NSEC"},
    {48, "DNSKEY"},  {49, "DHCID"}, {50, "NSEC3"},   {51, "NSEC3PARAM"}, {52, "TLSA"},      {53, "SMIMEA"},
    {55, "HIP"},     {59, "CDS"},   {60, "CDNSKEY"}, {61, "OPENPGPKEY"}, {62, "CSYNC"},     {63, "ZONEMD"},
    {64, "SVCB"},    {65, "HTTPS"}, {66, "DSYNC"},   {99, "SPF"},        {104, "NID"},      {105, "L32"},
    {106, "L64"},    {107, "LP"},   {108, "EUI48"},  {109, "EUI64"},     {128, "NXNAME"},   {249, "TKEY"},
    {250, "TSIG"},   {251, "IXFR"}, {252, "AXFR"},   {253, "MAILB"},     {254, "MAILA"},    {255, "ANY"},
    {256, "URI"},    {257, "CAA"},  {258, "AVC"},    {259, "DOA"},       {260, "AMTRELAY"}, {261, "RESINFO"},
    {262, "WALLET"}, {32768, "TA"}, {32769, "DLV"},
};
constexpr Name class_names[] = {{1, "IN"}, {3, "CH"}, {4, "HS"}, {254, "NONE"}, {255, "ANY"}};
constexpr Name opcode_names[] = {{0, "QUERY"},  {1, "IQUERY"}, {2, "STATUS"},
                                 {4, "NOTIFY"}, {5, "UPDATE"}, {6, "DSO"}};
constexpr Name rcode_names[] = {
    {0, "NOERROR"},  {1, "FORMERR"},  {2, "SERVFAIL"}, {3, "NXDOMAIN"}, {4, "NOTIMP"},
    {5, "REFUSED"},  {6, "YXDOMAIN"}, {7, "YXRRSET"},  {8, "NXRRSET"},  {9, "NOTAUTH"},
    {10, "NOTZONE"}, {16, "BADVERS"}, {17, "BADKEY"},  {18, "BADTIME"}, {23, "BADCOOKIE"},
};
constexpr std::string_view ede_names[] = {
    "Other",
    "Unsupported DNSKEY Algorithm",
    "Unsupported DS Digest Type",
    "Stale Answer",
    "Forged Answer",
    "DNSSEC Indeterminate",
    "DNSSEC Bogus",
    "Signature Expired",
    "Signature Not Yet Valid",
    "DNSKEY Missing",
    "RRSIGs Missing",
    "No Zone Key Bit Set",
    "NSEC Missing",
    "Cached Error",
    "Not Ready",
    "Blocked",
    "Censored",
    "Filtered",
    "Prohibited",
    "Stale NXDOMAIN Answer",
    "Not Authoritative",
    "Not Supported",
    "No Reachable Authority",
    "Network Error",
    "Invalid Data",
    "Signature Expired before Valid",
    "Too Early",
    "Unsupported NSEC3 Iterations Value",
    "Unable to conform to policy",
    "Synthesized",
    "Invalid Query Type",
};

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// Whether `text` is `other`, which is in upper case.
bool same_word(std::string_view text, std::string_view other) {
  return std::ranges::equal(text, other, {}, upper);
}

std::string name_of(std::span<const Name> names, uint16_t number, std::string_view prefix) {
  auto found = std::ranges::find(names, number, &Name::number);
  if (found != names.end()) return std::string(found->text);
  return std::string(prefix) + std::to_string(number);
}

std::optional<uint16_t> number_of(std::span<const Name> names, std::string_view text,
                                  std::string_view prefix) {
  for (const Name& name : names)
    if (same_word(text, name.text)) return name.number;
  if (!same_word(text.substr(0, prefix.size()), prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  uint16_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string to_string(Type type) { return name_of(type_names, static_cast<uint16_t>(type), "TYPE"); }
std::string to_string(Class c) { return name_of(class_names, static_cast<uint16_t>(c), "CLASS"); }
std::string to_string(Opcode opcode) {
  return name_of(opcode_names, static_cast<uint16_t>(opcode), "OPCODE");
}
std::string to_string(Rcode rcode) { return name_of(rcode_names, static_cast<uint16_t>(rcode), "RCODE"); }

std::string_view to_string(Ede code) {
  auto number = static_cast<size_t>(code);
  return number < std::size(ede_names) ? ede_names[number] : std::string_view();
}

std::optional<Type> parse_type(std::string_view text) {
  return number_of(type_names, text, "TYPE").transform([](uint16_t n) { return Type(n); });
}

std::optional<Class> parse_class(std::string_view text) {
  return number_of(class_names, text, "CLASS").transform([](uint16_t n) { return Class(n); });
}

}  // namespace peregrine

// What libnftnl itself reads in a message: the tests' second opinion on what TypeScript encodes.

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/flowtable.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <napi.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace {

template <typename T>
std::string print(const nlmsghdr* message, T* (*alloc)(), void (*release)(const T*),
                  int (*parse)(const nlmsghdr*, T*),
                  int (*write)(char*, size_t, const T*, uint32_t, uint32_t)) {
  const std::unique_ptr<T, void (*)(const T*)> object(alloc(), release);
  if (!object) throw std::bad_alloc();
  if (parse(message, object.get()) < 0) throw std::runtime_error("libnftnl cannot parse this message");
  std::vector<char> text(1 << 16);
  for (;;) {
    const int length = write(text.data(), text.size(), object.get(), NFTNL_OUTPUT_DEFAULT, 0);
    if (length < 0) throw std::runtime_error("libnftnl cannot print this message");
    if (static_cast<size_t>(length) < text.size()) return std::string(text.data());
    text.resize(text.size() * 2);
  }
}

std::string print(const nlmsghdr* message) {
  if (NFNL_SUBSYS_ID(message->nlmsg_type) != NFNL_SUBSYS_NFTABLES) {
    throw std::runtime_error("not a message of nf_tables");
  }
  switch (NFNL_MSG_TYPE(message->nlmsg_type)) {
    case NFT_MSG_NEWTABLE:
      return print(message, nftnl_table_alloc, nftnl_table_free, nftnl_table_nlmsg_parse,
                   nftnl_table_snprintf);
    case NFT_MSG_NEWCHAIN:
      return print(message, nftnl_chain_alloc, nftnl_chain_free, nftnl_chain_nlmsg_parse,
                   nftnl_chain_snprintf);
    case NFT_MSG_NEWRULE:
      return print(message, nftnl_rule_alloc, nftnl_rule_free, nftnl_rule_nlmsg_parse, nftnl_rule_snprintf);
    case NFT_MSG_NEWSET:
      return print(message, nftnl_set_alloc, nftnl_set_free, nftnl_set_nlmsg_parse, nftnl_set_snprintf);
    case NFT_MSG_NEWSETELEM:
      return print(message, nftnl_set_alloc, nftnl_set_free, nftnl_set_elems_nlmsg_parse, nftnl_set_snprintf);
    case NFT_MSG_NEWOBJ:
      return print(message, nftnl_obj_alloc, nftnl_obj_free, nftnl_obj_nlmsg_parse, nftnl_obj_snprintf);
    case NFT_MSG_NEWFLOWTABLE:
      return print(message, nftnl_flowtable_alloc, nftnl_flowtable_free, nftnl_flowtable_nlmsg_parse,
                   nftnl_flowtable_snprintf);
    default:
      throw std::runtime_error("libnftnl does not print messages of this type");
  }
}

/** print(message: Uint8Array): string */
Napi::Value print_message(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsTypedArray()) throw Napi::TypeError::New(env, "a Uint8Array expected");
  const auto bytes = info[0].As<Napi::Uint8Array>();
  // A copy: the view may start anywhere, and libmnl reads aligned words.
  std::vector<uint32_t> message(bytes.ByteLength() / sizeof(uint32_t) + 1);
  std::memcpy(message.data(), bytes.Data(), bytes.ByteLength());
  const auto* header = reinterpret_cast<const nlmsghdr*>(message.data());
  if (!mnl_nlmsg_ok(header, static_cast<int>(bytes.ByteLength())) ||
      header->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(nfgenmsg)) {
    throw Napi::RangeError::New(env, "this is no whole netlink message");
  }
  try {
    return Napi::String::New(env, print(header));
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Napi::Error::New(env, error.what());
  }
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("print", Napi::Function::New(env, print_message));
  return exports;
}

}  // namespace

NODE_API_MODULE(nftnl_printer, initialize)

/** Rulesets in nft syntax, by what they are about: every family, every kind of object. */
export const rulesets: Readonly<Record<string, string>> = {
  'base chains of every family': `
    table ip a {
      chain i { type filter hook input priority filter; policy drop; }
      chain o { type route hook output priority mangle; policy accept; }
      chain n { type nat hook postrouting priority srcnat; policy accept; }
      chain r { }
    }
    table ip6 a {
      chain f { type filter hook forward priority raw; policy drop; }
    }
    table inet a {
      chain p { type filter hook prerouting priority dstnat + 5; policy accept; }
      chain s { type filter hook input priority security - 1; policy drop; }
    }
    table arp a {
      chain i { type filter hook input priority filter; policy drop; }
      chain o { type filter hook output priority filter; policy accept; }
    }
    table bridge a {
      chain p { type filter hook prerouting priority dstnat; policy accept; }
      chain o { type filter hook postrouting priority srcnat; policy drop; }
    }
    table netdev a { }`,
  'a dormant table': `
    table inet sleepy {
      flags dormant
      chain c { type filter hook input priority 0; drop; }
    }`,
  'matches of ip': `
    table ip t {
      chain c {
        ip saddr 192.0.2.1 ip daddr 198.51.100.0/24 accept
        ip saddr != 192.0.2.0/25 drop
        ip saddr 192.0.2.1-192.0.2.9 accept
        ip protocol tcp counter packets 3 bytes 180
        ip ttl < 10 drop
        ip dscp cs1 accept
        ip length 64-1500 accept
        ip frag-off & 0x1fff != 0x0 drop
        ip hdrlength 5 accept
        tcp dport 22 accept
        tcp dport 1024-65535 accept
        tcp flags syn / fin,syn,rst,ack accept
        tcp flags & (fin | syn) == fin | syn drop
        udp sport 53 udp dport != 53 drop
        icmp type echo-request limit rate 10/second accept
        meta l4proto { tcp, udp } accept
        th dport 53 accept
        @th,16,16 0x35 accept
      }
    }`,
  'matches of ip6': `
    table ip6 t {
      chain c {
        ip6 saddr 2001:db8::1 ip6 daddr 2001:db8:1::/48 accept
        ip6 nexthdr { tcp, udp } accept
        tcp dport 443 accept
        ip6 hoplimit 255 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
        ip6 saddr fe80::/10 accept
        exthdr frag exists drop
        frag frag-off 0 accept
        icmpv6 type nd-router-advert drop
      }
    }`,
  'matches of inet': `
    table inet t {
      chain c {
        ip saddr 192.0.2.1 accept
        ip6 saddr 2001:db8::1 accept
        meta nfproto ipv4 tcp dport 80 accept
        tcp dport { 80, 443, 8000-8080 } accept
        udp dport vmap { 53 : accept, 67 : drop }
        icmp type echo-request accept
        icmpv6 type echo-request accept
        iifname "eth*" oifname != "lo" accept
        iif "lo" accept
        meta mark 0x1 accept
        meta mark & 0xff == 0x10 accept
        meta length > 1500 drop
        meta skuid 0 accept
        meta pkttype broadcast drop
        meta mark set 0x2a
      }
    }`,
  'matches of bridge': `
    table bridge t {
      chain c { type filter hook prerouting priority -300; policy accept;
        ether saddr 02:00:00:00:00:01 accept
        ether daddr & ff:ff:ff:ff:ff:f0 == 01:80:c2:00:00:00 drop
        ether type vmap { ip : accept, arp : accept, ip6 : drop }
        iifname "v1" ether saddr 02:00:00:00:00:01 ip saddr 192.0.2.1 accept
        iifname "v1" ether saddr 02:00:00:00:00:01 ip6 saddr 2001:db8::/64 accept
        icmpv6 type nd-router-advert drop
        ip6 version 6 udp sport 547 drop
        ip version 4 udp sport 67 drop
        vlan id 5 accept
        ether type arp arp operation request arp saddr ip 192.0.2.1 accept
        iifname . ether saddr . ip saddr { "v1" . 02:00:00:00:00:01 . 192.0.2.1, "v2" . 02:00:00:00:00:02 . 192.0.2.2 } accept
        iifname . ether saddr . ip6 saddr & ffff:ffff:ffff:ffff:: { "v1" . 02:00:00:00:00:01 . 2001:db8:: } accept
      }
    }`,
  'matches of arp': `
    table arp t {
      chain c {
        arp operation request accept
        arp saddr ip 192.0.2.1 arp saddr ether 02:00:00:00:00:01 accept
        arp htype 1 arp plen 4 drop
        arp daddr ip 192.0.2.0/24 accept
      }
    }`,
  'a chain on a device': `
    table netdev t {
      chain c { type filter hook ingress device "lo" priority -500; policy drop;
        ether type arp accept
        ip saddr 192.0.2.0/24 accept
        meta protocol vlan drop
      }
    }`,
  'ingress of inet': `
    table inet t {
      chain c { type filter hook ingress device "lo" priority filter; policy accept;
        tcp dport 22 counter packets 0 bytes 0
      }
    }`,
  verdicts: `
    table inet t {
      chain a { return; }
      chain b { continue; }
      chain c { jump a; goto b; }
      chain d { type filter hook input priority 0; policy accept; tcp dport 1 jump c; tcp dport 2 goto c; accept; }
    }`,
  'sets of one field': `
    table inet t {
      set v4 { type ipv4_addr; elements = { 192.0.2.1, 192.0.2.2 }; }
      set v6 { type ipv6_addr; elements = { 2001:db8::1 }; }
      set mac { type ether_addr; elements = { 02:00:00:00:00:01 }; }
      set port { type inet_service; size 100; elements = { 22, 80 }; }
      set proto { type inet_proto; elements = { tcp, udp }; }
      set marks { type mark; elements = { 0x1, 0xff }; }
      set names { type ifname; elements = { "eth0", "v343a-0" }; }
      set empty { type ipv4_addr; comment "none yet"; }
      chain c { ip saddr @v4 accept; ip6 saddr @v6 accept; ether saddr != @mac drop; tcp dport @port accept; iifname @names accept; meta mark @marks accept; meta l4proto @proto accept; }
    }`,
  'interval sets': `
    table inet t {
      set nets { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.0.2.1, 198.51.100.10-198.51.100.20 }; }
      set nets6 { type ipv6_addr; flags interval; elements = { 2001:db8::/32, fe80::1 }; }
      set ports { type inet_service; flags interval; elements = { 1-1023, 8080 }; }
      set merged { type ipv4_addr; flags interval; auto-merge; elements = { 10.0.0.0/24, 10.0.1.0/24 }; }
      set whole { type ipv4_addr; flags interval; elements = { 0.0.0.0/0 }; }
      set ends { type inet_service; flags interval; elements = { 0, 65535 }; }
      chain c { ip saddr @nets accept; ip6 saddr @nets6 accept; tcp dport @ports accept; ip daddr @merged drop; ip daddr @whole accept; ip saddr { 10.0.0.0/8, 172.16.0.0/12 } drop; tcp dport != { 1-1023 } accept; }
    }`,
  'sets with timeouts, counters and comments': `
    table inet t {
      set a { type ipv4_addr; flags timeout; timeout 1h; gc-interval 10m; elements = { 192.0.2.1 timeout 2h expires 1h59m, 192.0.2.2 }; }
      set b { type ipv4_addr; counter; elements = { 192.0.2.1 counter packets 5 bytes 500, 192.0.2.2 counter packets 0 bytes 0 }; }
      set c { type ipv4_addr; flags dynamic; size 65535; timeout 30s; }
      set d { type ipv4_addr; elements = { 192.0.2.1 comment "one", 192.0.2.2 comment "two" }; }
      set e { type inet_service; flags constant; elements = { 1 }; }
      set f { type ipv4_addr; policy memory; flags interval; elements = { 192.0.2.0/24 comment "net" }; }
      chain c { add @c { ip saddr }; update @c { ip saddr timeout 5s }; update @c { ip saddr limit rate 10/second }; }
    }`,
  'concatenated sets': `
    table bridge t {
      set hosts { type ifname . ether_addr . ipv4_addr; size 1000; elements = { "v1" . 02:00:00:00:00:01 . 192.0.2.1 }; }
      set hosts6 { type ifname . ether_addr . ipv6_addr; elements = { "v1" . 02:00:00:00:00:01 . 2001:db8::1, "v2" . 02:00:00:00:00:02 . 2001:db8::2 }; }
      chain c { iifname . ether saddr . ip saddr @hosts accept; iifname . ether saddr . ip6 saddr @hosts6 accept; }
    }`,
  'concatenated intervals': `
    table inet t {
      set s { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 80, 192.0.2.1 . 1000-2000, 192.0.2.8-192.0.2.9 . 22 }; }
      chain c { ip saddr . tcp dport @s accept; }
    }`,
  maps: `
    table inet t {
      map marks { type ipv4_addr : mark; elements = { 192.0.2.1 : 0x1, 192.0.2.2 : 0x2 }; }
      map ranges { type ipv4_addr : mark; flags interval; elements = { 10.0.0.0/8 : 0x1 }; }
      map ports { type inet_service : verdict; elements = { 22 : accept, 23 : drop, 80 : jump web }; }
      map both { type ipv4_addr . inet_service : verdict; elements = { 192.0.2.1 . 22 : accept }; }
      map names { type ifname : verdict; elements = { "eth0" : goto web }; }
      chain web { accept; }
      chain c { meta mark set ip saddr map @marks; tcp dport vmap @ports; ip saddr . tcp dport vmap @both; iifname vmap @names; meta mark set ip daddr map { 192.0.2.1 : 0x7, 192.0.2.2 : 0x8 }; meta mark set ip saddr map @ranges; }
    }`,
  objects: `
    table inet t {
      counter c1 { packets 5 bytes 500; }
      counter c2 { comment "with words"; }
      quota q1 { over 10 mbytes; }
      quota q2 { 1 kbytes used 100 bytes; }
      limit l1 { rate 10/second burst 20 packets; }
      limit l2 { rate over 1 mbytes/minute; }
      chain c { counter name "c1"; quota name "q1" drop; limit name "l1" accept; }
    }`,
  'object maps': `
    table inet t {
      counter a { }
      counter b { }
      quota q { over 1 mbytes; }
      map cm { type ipv4_addr : counter; elements = { 192.0.2.1 : "a", 192.0.2.2 : "b" }; }
      map qm { type inet_service : quota; elements = { 80 : "q" }; }
      chain c { counter name ip saddr map @cm; quota name tcp dport map @qm drop; }
    }`,
  'stateful statements': `
    table inet t {
      chain c {
        counter packets 9223372036854775807 bytes 9007199254740993
        limit rate 5/minute burst 10 packets accept
        limit rate over 100 kbytes/second burst 1 mbytes drop
        quota over 25 mbytes drop
        log
        log prefix "dropped: " level warn flags all
        log prefix "grouped" group 3 snaplen 128 queue-threshold 20
        log level audit
      }
    }`,
  'comments everywhere': `
    table inet t {
      comment "a table"
      set s { type ipv4_addr; comment "a set"; elements = { 192.0.2.1 comment "an element" }; }
      chain c { comment "a chain"; type filter hook input priority 0; policy accept; tcp dport 22 accept comment "a rule with \u00fcml\u00e4uts"; }
      chain r { }
    }`,
  'changes to packets': `
    table ip t {
      chain c {
        ip dscp set cs5
        ip ttl set 64
        tcp dport set 8080
        ether saddr set 02:00:00:00:00:01
        meta priority set 1:2
        meta nftrace set 1
        tcp option maxseg size set 1400
      }
    }`,
  rejects: `
    table inet t {
      chain c {
        reject
        reject with tcp reset
        reject with icmp host-unreachable
        reject with icmpv6 no-route
        reject with icmpx admin-prohibited
      }
    }`,
  'several tables of one name': `
    table ip same {
      set s { type ipv4_addr; elements = { 192.0.2.1 }; }
      chain c { ip saddr @s accept; }
    }
    table ip6 same {
      set s { type ipv6_addr; elements = { 2001:db8::1 }; }
      chain c { ip6 saddr @s accept; }
    }
    table inet same {
      set s { type inet_service; elements = { 1 }; }
      chain c { tcp dport @s accept; }
    }`,
  'time and sockets': `
    table inet t {
      chain c {
        meta hour "08:00"-"17:00" accept
        meta day "Monday" accept
        meta cpu 0 accept
        meta iifgroup 0 accept
        socket transparent 1 accept
        fib daddr type local accept
        rt mtu 1500 accept
        numgen inc mod 2 0 accept
        jhash ip saddr mod 8 seed 0xdeadbeef 1 accept
      }
    }`,
};

/** Rulesets whose types nft 1.0.6 tells in its text alone. */
export const typeofRulesets: Readonly<Record<string, string>> = {
  'typeof sets': `
    table inet t {
      set v { typeof ip saddr; elements = { 192.0.2.1 }; }
      set p { typeof ip protocol . th dport; elements = { tcp . 22, udp . 53 }; }
      map m { typeof ip saddr : meta mark; elements = { 192.0.2.1 : 0x5 }; }
      chain c { ip saddr @v accept; ip protocol . th dport @p accept; meta mark set ip saddr map @m; }
    }`,
};

/** Rulesets for kernels that track connections in every family. */
export const conntrackRulesets: Readonly<Record<string, string>> = {
  'connection tracking': `
    table inet t {
      ct helper ftp { type "ftp" protocol tcp; l3proto ip; }
      ct timeout short { protocol tcp; l3proto ip; policy = { established : 60, close : 4 }; }
      ct expectation e { protocol tcp; dport 5432; timeout 1h; size 12; l3proto ip; }
      chain c { type filter hook prerouting priority 0; policy accept;
        ct state established,related accept
        ct state invalid drop
        ct status assured accept
        ct mark 0x1 accept
        ct mark set meta mark
        ct direction original accept
        ct original ip saddr 192.0.2.1 accept
        tcp dport 21 ct helper set "ftp"
        tcp dport 22 ct timeout set "short"
        ct count over 10 drop
        notrack
      }
    }`,
  nat: `
    table ip t {
      map m { type inet_service : ipv4_addr; elements = { 80 : 192.0.2.1 }; }
      chain p { type nat hook prerouting priority dstnat; policy accept;
        dnat to 192.0.2.1
        tcp dport 80 dnat to 192.0.2.1:8080
        dnat to tcp dport map @m
        tcp dport 22 redirect to :2222
      }
      chain q { type nat hook postrouting priority srcnat; policy accept;
        masquerade
        meta l4proto tcp masquerade to :1024-65535 random
        snat to 192.0.2.1-192.0.2.9 persistent
      }
    }`,
};

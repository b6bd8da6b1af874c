"""Probes for EDNS compliance with Debian's python3-dnspython; prints a line for each: what was asked, what came."""
import sys

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype

address, port = sys.argv[1], int(sys.argv[2])
cookie = bytes(range(8))


def ask(name="web.shop.weir", kind="A", klass="IN", tcp=False, use_edns=None, **edns):
    message = dns.message.make_query(name, kind, klass)
    # not by make_query, which forgets the version
    message.use_edns(use_edns, **edns)
    how = dns.query.tcp if tcp else dns.query.udp
    return how(message, address, port=port, timeout=5)


def options(reply):
    return sorted(int(option.otype) for option in reply.options)


def say(what, reply):
    opt = "none" if reply.edns < 0 else f"version {reply.edns} flags {reply.ednsflags & 0xffff:#06x} options {options(reply)}"
    print(f"{what}: {dns.rcode.to_text(reply.rcode())} answers {len(reply.answer)} edns {opt}")


say("plain", ask())
say("version 0", ask(use_edns=0))
say("version 1", ask(use_edns=1))
say("version 1 with an unknown option", ask(use_edns=1, options=[dns.edns.GenericOption(100, b"x")]))
say("unknown option", ask(use_edns=0, options=[dns.edns.GenericOption(100, b"x")]))
say("unknown flag", ask(use_edns=0, ednsflags=0x0080))
say("dnssec ok", ask(use_edns=0, ednsflags=0x8000))
say("all of it", ask(use_edns=0, ednsflags=0x8080, options=[dns.edns.GenericOption(100, b"x")]))
say("small buffer", ask(use_edns=0, payload=0))
say("tcp", ask(tcp=True, use_edns=0))
first = ask(use_edns=0, options=[dns.edns.GenericOption(10, cookie)])
say("client cookie", first)
given = [option for option in first.options if option.otype == 10][0].to_wire()
print("cookie", len(given), given[:8] == cookie)
again = ask(use_edns=0, options=[dns.edns.GenericOption(10, given)])
print("cookie again", [option.to_wire() for option in again.options if option.otype == 10] == [given])
say("bad cookie", ask(use_edns=0, options=[dns.edns.GenericOption(10, b"123")]))
named = ask(use_edns=0, options=[dns.edns.GenericOption(3, b"")])
print("nsid", [option.to_wire() for option in named.options if option.otype == 3])
say("unknown type", ask(kind="TYPE65281", use_edns=0))
say("unknown class", ask(klass="CLASS257", use_edns=0))
say("any", ask(kind="ANY"))
say("refused", ask(name="example.com", use_edns=0))
mixed = ask(name="wEb.ShOp.WEIR")
print("case", mixed.question[0].name.to_text())
large = ask(name="many.marathon.mesos", use_edns=0, payload=1232)
print("truncated", bool(large.flags & dns.flags.TC), len(ask(name="many.marathon.mesos", tcp=True).answer[0]))

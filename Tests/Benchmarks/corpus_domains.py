"""The domains from which the corpus comes: their names, addresses and keys, and what they publish in the DNS."""
import base64

# python3-nacl and python3-cryptography
import nacl.signing
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

# Some domains send by one of these, whose records theirs include.
PROVIDERS = 20
SUFFIXES = ("com", "net", "org", "co.uk", "de")


def name(number):
    return f"bench{number:04d}.{SUFFIXES[number % 5]}"


def provider(number):
    return f"provider{number % PROVIDERS:02d}.com"


def address(number):
    """Where a domain's own servers stand (198.18.0.0/15 is there for measuring, RFC 2544)."""
    return f"198.18.{number // 16}.{number % 16 * 16 + 5}"


def network(number):
    return f"198.18.{number // 16}.{number % 16 * 16}/28"


def rsa_key():
    """A key of 2048 bits as PEM, and its public half as a record has it."""
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, base64.b64encode(public).decode()


def keys(_):
    """The two keys of a domain: RSA, and Ed25519 as dkimpy takes it."""
    seed = nacl.signing.SigningKey.generate()
    ed25519 = base64.b64encode(bytes(seed)), base64.b64encode(bytes(seed.verify_key)).decode()
    return {"rsa": rsa_key(), "ed25519": ed25519}


# ---------------------------------------------------------------- SPF


def include_chain(domain, length, last, every="~all"):
    """Records that include one another, the last with the network that counts."""
    names = [f"spf{step}.{domain}" for step in range(1, length + 1)]
    records = [
        (owner, "TXT", f"v=spf1 ip4:192.0.2.{16 * step}/28 include:{following} {every}")
        for step, (owner, following) in enumerate(zip(names, names[1:]))
    ]
    return names[0], records + [(names[-1], "TXT", f"v=spf1 ip4:{last} {every}")]


def spf(number):
    """What a domain publishes for SPF, by shapes that take turns: its records, and whence it sends."""
    domain, shape, own = name(number), number % 20, network(number)
    source, more, text = address(number), [], None
    if shape <= 5:
        text = f"v=spf1 ip4:{own} -all"
    elif shape <= 7:
        text = "v=spf1 a mx ~all"
    elif shape <= 9:
        text = "v=spf1 mx -all"
    elif shape <= 12:
        text = f"v=spf1 include:_spf.{provider(number)} ~all"
        source = f"198.19.{number % PROVIDERS}.{1 + number // 16}"
    elif shape <= 15:
        first, more = include_chain(domain, shape - 11 if shape < 15 else 5, own)
        text = f"v=spf1 include:{first} -all"
    elif shape == 16:
        text, more = f"v=spf1 redirect=_spf.{domain}", [(f"_spf.{domain}", "TXT", f"v=spf1 ip4:{own} -all")]
    elif shape == 17:
        source = f"2001:db8:{number:x}::25"
        text = f"v=spf1 a:mail.{domain} ip6:2001:db8:{number:x}::/48 include:_spf.{provider(number)} -all"
    elif shape == 18:
        text, more = "v=spf1 exists:%{i}._spf.%{d} -all", [(f"{source}._spf.{domain}", "A", "127.0.0.2")]
    elif number // 20 % 2 == 0:
        # RFC 7208 section 4.6.4: more lookups than ten.
        hosts = [f"h{host}.{domain}" for host in range(12)]
        text = f"v=spf1 {' '.join(f'a:{host}' for host in hosts)} -all"
        more = [(host, "A", f"192.0.2.{place + 1}") for place, host in enumerate(hosts)]
    return more + ([(domain, "TXT", text)] if text else []), source


# ---------------------------------------------------------------- the zone


def dmarc(number):
    domain, shape = name(number), number % 10
    if shape <= 3:
        return f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}"
    if shape <= 5:
        return f"v=DMARC1; p=quarantine; rua=mailto:dmarc@{domain}; ruf=mailto:ruf@{domain}; fo=1"
    if shape <= 7:
        return f"v=DMARC1; p=reject; rua=mailto:dmarc@{domain}"
    return None if shape == 8 else "v=DMARC1; p=reject; sp=quarantine; adkim=s; aspf=r; pct=100"


def records(number, domain_keys):
    """All that a domain publishes."""
    domain, own = name(number), address(number)
    policy = dmarc(number)
    return [
        (domain, "A", own),
        (domain, "MX", f"10 mail.{domain}."),
        (domain, "MX", f"20 mx2.{domain}."),
        (domain, "TXT", f"site-verification={number * 7919:012x}"),
        (f"mail.{domain}", "A", own),
        (f"mail.{domain}", "TXT", "v=spf1 a -all"),
        (f"mx2.{domain}", "A", own.rpartition(".")[0] + f".{number % 16 * 16 + 6}"),
        (f"news.{domain}", "A", own),
        (f"rsa._domainkey.{domain}", "TXT", f"v=DKIM1; k=rsa; p={domain_keys['rsa'][1]}"),
        (f"ed._domainkey.{domain}", "TXT", f"v=DKIM1; k=ed25519; p={domain_keys['ed25519'][1]}"),
        (f"revoked._domainkey.{domain}", "TXT", "v=DKIM1; k=rsa; p="),
        *([(f"_dmarc.{domain}", "TXT", policy)] if policy else []),
        *spf(number)[0],
    ]


def provider_records(number, provider_keys):
    domain = provider(number)
    blocks = [f"_netblocks{block}.{domain}" for block in range(3)]
    return [
        (f"_spf.{domain}", "TXT", f"v=spf1 {' '.join(f'include:{block}' for block in blocks)} ~all"),
        (blocks[0], "TXT", "v=spf1 " + " ".join(f"ip4:192.0.2.{8 * n}/29" for n in range(12)) + " ~all"),
        (blocks[1], "TXT", "v=spf1 " + " ".join(f"ip6:2001:db8:f{n:03x}::/48" for n in range(6)) + " ~all"),
        (blocks[2], "TXT", f"v=spf1 ip4:198.19.{number}.0/24 ~all"),
        (f"arc._domainkey.{domain}", "TXT", f"v=DKIM1; k=rsa; p={provider_keys['rsa'][1]}"),
    ]


def line(owner, kind, value):
    """A record as a zone file has it; a string has at most 255 octets (RFC 1035 section 3.3)."""
    if kind == "TXT":
        value = " ".join(f'"{value[start:start + 250]}"' for start in range(0, len(value), 250))
    return f"{owner}. 3600 IN {kind} {value}"

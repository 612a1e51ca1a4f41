"""Dependencies run downwards, and each library of others is used by one folder alone (ARCHITECTURE.md)."""

import re

import house

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.MULTILINE)

# A folder may include itself and these. The longest prefix of the path counts.
OURS = {
    "metrics/": (),
    "dumpster/": ("metrics/",),
    "relay/": ("dumpster/", "metrics/"),
    "relay/smtp/": (
        "dumpster/message.hpp",
        "dumpster/uuid.hpp",
        "dumpster/instant.hpp",
        "dumpster/delivery.hpp",
    ),
    "relay/hub/": ("metrics/", "dumpster/", "relay/", "recovery/"),
    "recovery/": ("dumpster/", "metrics/"),
}
ANYTHING = ("tests/", "deploy/")

# Headers of others and the paths that may include them.
OTHERS = (
    ("rocksdb/", re.compile(r"dumpster/(rocksdb/.*|.*\.cpp)")),
    ("prometheus/", re.compile(r"metrics/.*")),
    ("spdlog/", re.compile(r"metrics/.*")),
    ("mimetic/", re.compile(r"relay/.*")),
    ("toml++/", re.compile(r"recovery/configuration.*")),
    ("boost/beast", re.compile(r"recovery/.*")),
    ("curl/", re.compile(r"recovery/.*")),
    ("libdeflate.h", re.compile(r"dumpster/codec\.cpp")),
    ("ares", re.compile(r"relay/net/.*")),
    ("crypt.h", re.compile(r"relay/server/passwords\.cpp")),
    ("openldap.h", re.compile(r"relay/directory/ldap/.*")),
    ("ldap.h", re.compile(r"relay/directory/ldap/.*")),
    ("catch2/", re.compile(r"tests/.*")),
)

# The protocol machines move no bytes themselves.
NO_INPUT_OUTPUT = ("boost/asio", "boost/beast", "sys/socket.h", "netinet/", "netdb.h", "poll.h", "sys/epoll.h")

IMPLEMENTATION = "dumpster/rocksdb/"
STORE_HEADER = "dumpster/rocksdb_store.hpp"
STORE_NAMES = {"open_rocksdb_store", "RocksDbStoreOptions"}
NAMES_ROCKSDB = re.compile(r"\b\w*rocksdb\w*\b", re.IGNORECASE)


def room_of(path):
    rooms = [room for room in OURS if path.startswith(room)]
    return max(rooms, key=len) if rooms else None


def included_faults(path, included):
    room = room_of(path)
    if included.startswith(tuple(OURS)) and room is not None:
        if not included.startswith((room, *OURS[room])):
            yield f"{room} must not include {included}"
    if included.startswith(IMPLEMENTATION) and not path.startswith(("dumpster/", *ANYTHING)):
        yield f"{included} belongs to dumpster/ alone"
    for header, users in OTHERS:
        if included.startswith(header) and not path.startswith("tests/") and not users.fullmatch(path):
            yield f"{included} may only be included by {users.pattern}"
    if path.startswith("relay/smtp/") and included.startswith(NO_INPUT_OUTPUT):
        yield f"{included} does input and output, relay/smtp/ must not"


def public_header_faults(path, text):
    if not re.fullmatch(r"dumpster/[^/]+\.hpp", path):
        return
    for match in NAMES_ROCKSDB.finditer(house.without_comments(text)):
        if path == STORE_HEADER and match.group() in STORE_NAMES:
            continue
        yield f"{path}:{house.line_of(text, match.start())}: a public header names {match.group()}"


def check(files):
    """Includes run downwards."""
    faults = []
    for path, text in files.items():
        for match in INCLUDE.finditer(house.without_comments(text)):
            line = house.line_of(text, match.start(1))
            faults += [f"{path}:{line}: {fault}" for fault in included_faults(path, match.group(1))]
        faults += public_header_faults(path, text)
    return faults


def _one(path, text):
    return {path: text}


EXAMPLES = (
    ("metrics knows nothing of ours", _one("metrics/a.hpp", '#include "dumpster/store.hpp"\n'), 1),
    ("dumpster uses metrics", _one("dumpster/a.cpp", '#include "metrics/log.hpp"\n#include "dumpster/b.hpp"\n'), 0),
    ("dumpster knows no relay", _one("dumpster/a.cpp", '#include "relay/session.hpp"\n'), 1),
    ("relay uses dumpster", _one("relay/a.cpp", '#include "dumpster/store.hpp"\n#include "relay/smtp/b.hpp"\n'), 0),
    ("relay knows no recovery", _one("relay/queue/a.cpp", '#  include <recovery/running_relay.hpp>\n'), 1),
    ("recovery knows no relay", _one("recovery/api/a.cpp", '#include "relay/directory/directory.hpp"\n'), 1),
    ("the program wires everything", _one("relay/hub/a.cpp", '#include "recovery/a.hpp"\n#include "relay/b.hpp"\n'), 0),
    ("smtp uses plain types", _one("relay/smtp/a.hpp", '#include "dumpster/message.hpp"\n'), 0),
    ("smtp knows no store", _one("relay/smtp/a.hpp", '#include "dumpster/store.hpp"\n'), 1),
    ("smtp knows no directory", _one("relay/smtp/a.hpp", '#include "relay/directory/directory.hpp"\n'), 1),
    ("smtp has no sockets", _one("relay/smtp/a.cpp", "#include <boost/asio/ip/tcp.hpp>\n#include <sys/socket.h>\n"), 2),
    ("rocksdb in a source", _one("dumpster/a.cpp", "#include <rocksdb/db.h>\n"), 0),
    ("rocksdb in its folder", _one("dumpster/rocksdb/a.hpp", "#include <rocksdb/db.h>\n"), 0),
    ("rocksdb in a public header", _one("dumpster/a.hpp", "#include <rocksdb/db.h>\n"), 2),
    ("rocksdb in the relay", _one("relay/a.cpp", "#include <rocksdb/db.h>\n"), 1),
    ("the store's inside", _one("relay/hub/a.cpp", '#include "dumpster/rocksdb/keys.hpp"\n'), 1),
    ("a public header names the engine", _one("dumpster/a.hpp", "namespace rocksdb { class DB; }\n"), 1),
    ("the store's header names itself", _one(STORE_HEADER, "// rocksdb\nint open_rocksdb_store(RocksDbStoreOptions);\n"), 0),
    ("the store's header names the engine", _one(STORE_HEADER, "rocksdb::DB* db;\n"), 1),
    ("prometheus elsewhere", _one("relay/a.cpp", "#include <prometheus/counter.h>\n#include <spdlog/spdlog.h>\n"), 2),
    ("mimetic elsewhere", _one("recovery/a.cpp", "#include <mimetic/mimetic.h>\n"), 1),
    ("toml in its place", _one("recovery/configuration/a.cpp", "#include <toml++/toml.h>\n"), 0),
    ("toml elsewhere", _one("recovery/a.cpp", "#include <toml++/toml.h>\n"), 1),
    ("c-ares in its place", _one("relay/net/a.cpp", "#include <ares.h>\n"), 0),
    ("c-ares elsewhere", _one("relay/delivery/a.cpp", "#include <ares.h>\n"), 1),
    ("http in the relay", _one("relay/a.cpp", "#include <boost/beast/http.hpp>\n#include <curl/curl.h>\n"), 2),
    ("ldap in its place", _one("relay/directory/ldap/a.cpp", "#include <ldap.h>\n"), 0),
    ("ldap elsewhere", _one("relay/directory/a.cpp", "#include <ldap.h>\n"), 1),
    ("a comment includes nothing", _one("metrics/a.hpp", '// #include "relay/a.hpp"\n/*\n#include "relay/a.hpp"\n*/\n'), 0),
)

if __name__ == "__main__":
    house.run(check, house.is_cpp, EXAMPLES)

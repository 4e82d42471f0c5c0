# Calls one provider of dns-lexicon for certctl (src/providers/lexicon.rs), which passes this text and
# `request` to a Python interpreter. Prints one JSON object on the last line; certctl believes nothing
# else, and queries the zone's own servers afterwards.
#
# lexicon's own command line is not used: it looks up the zone by itself, and ends with exit code 0
# when a provider reports a failure. Neither is lexicon.client.Client, which may download a list of
# public suffixes to find the zone that certctl knows already.
#
# The target of a CNAME ends with a dot: without it, some providers append the zone.
import argparse
import importlib
import importlib.util
import json
import os
import stat
import sys

# Its API replaces all records of a zone at once, and would lose those that lexicon does not know.
REWRITES_ZONES = ["namecheap"]


def reply(**fields):
    print("\n" + json.dumps(fields))
    sys.exit(0)


def exposed_path(path):
    """Returns what users other than root can change on the way to `path`, if this is root."""
    while os.getuid() == 0:
        status = os.stat(path)
        if status.st_uid != 0 or (status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX):
            return path
        if path == "/":
            return None
        path = os.path.dirname(path)
    return None


def load_provider(name):
    # -I leaves out the packages of the user, which only root must not use.
    if os.getuid() != 0:
        import site

        site.addsitedir(site.getusersitepackages())
    found = importlib.util.find_spec("lexicon")
    if found is None or found.origin is None:
        reply(error="no-lexicon")
    exposed = exposed_path(os.path.realpath(found.origin))
    if exposed:
        reply(error="exposed", message=exposed)
    try:
        from lexicon._private.discovery import find_providers
    except ImportError:
        reply(error="old-lexicon")
    available = find_providers()
    if name in REWRITES_ZONES:
        reply(error="rewrites-zone")
    if name not in available:
        reply(error="unknown-provider", known=sorted(available))
    if not available[name]:
        reply(error="extra-needed")
    return importlib.import_module("lexicon._private.providers." + name).Provider


def options_of(provider):
    parser = argparse.ArgumentParser(add_help=False)
    provider.configure_parser(parser)
    return sorted(action.dest for action in parser._actions)


def is_same(record, value):
    listed = str(record["content"])
    if request["type"] == "TXT":
        return listed in (value, '"' + value + '"')
    return listed.rstrip(".").lower() == value.rstrip(".").lower()


def remove(provider, kind, name, value):
    """Removes one value. Some providers ignore the value when they list and delete, and would remove
    every record at the name: then nothing is removed."""
    found = provider.list_records(kind, name, value) or []
    if not all(is_same(record, value) for record in found):
        reply(error="no-filter")
    if found:
        return provider.delete_record(None, kind, name, value)
    # The provider may write the value in another way.
    for record in provider.list_records(kind, name) or []:
        if is_same(record, value):
            return provider.delete_record(record.get("id"), kind, name, value)
    return True


def main():
    provider_class = load_provider(request["provider"])
    if request["action"] == "describe":
        reply(options=options_of(provider_class))
    from lexicon.config import ConfigResolver

    kind, name, value = request["type"], request["name"], request["value"]
    if kind == "CNAME":
        value = value.rstrip(".") + "."
    config = {
        "provider_name": request["provider"],
        "domain": request["zone"],
        "ttl": request["ttl"],
        "action": request["action"],
        "type": kind,
        "name": name,
        "content": value,
        request["provider"]: request["options"],
    }
    provider = provider_class(ConfigResolver().with_dict(config))
    provider.domain = request["zone"]
    provider.authenticate()
    if request["action"] == "create":
        done = provider.create_record(kind, name, value)
    else:
        done = remove(provider, kind, name, value)
    reply(done=bool(done))


try:
    main()
except Exception as error:
    reply(error="failed", message=type(error).__name__ + ": " + str(error))

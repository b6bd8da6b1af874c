"""Drives a master with the library of Debian's python3-dcos, unmodified. Ends with an error at the first surprise."""
import os
import sys
import time

# The library wants a configuration file; an empty one will do.
os.environ.setdefault("DCOS_CONFIG", os.devnull)

from dcos import marathon
from dcos.errors import DCOSException

client = marathon.Client(sys.argv[1] + "/")


def step(name):
    print("ok", name, flush=True)


def settled():
    end = time.monotonic() + 20
    while client.get_deployments():
        assert time.monotonic() < end, "deployments still run"
        time.sleep(0.02)


def refused(call):
    try:
        call()
    except DCOSException as raised:
        return str(raised)
    raise AssertionError("an error was expected")


assert client.get_about()["name"] == "marathon"
assert client.get_leader()
step("about and leader")

client.add_app({"id": "/shop/web", "cmd": "sleep 100", "cpus": 0.1, "mem": 16, "instances": 2})
settled()
app = client.get_app("/shop/web")
assert app["tasksRunning"] == 2, app
assert "does not exist" in refused(lambda: client.get_app("/nope"))
assert refused(lambda: client.add_app({"id": "/bad", "cmd": "a", "args": ["b"]}))
step("add and get")

client.scale_app("/shop/web", 3)
settled()
client.update_app("/shop/web", {"cpus": 0.2})
settled()
client.restart_app("/shop/web")
settled()
versions = client.get_app_versions("/shop/web")
assert len(versions) == 4, versions
assert client.get_app("/shop/web", versions[-1])["instances"] == 2
tasks = client.get_tasks("/shop/web")
assert len(tasks) == 3 and client.get_task(tasks[0]["id"])["id"] == tasks[0]["id"], tasks
assert client.get_task("nope") is None
step("scale, update, restart, versions and tasks")

client.add_app({"id": "/big", "cmd": "sleep 100", "cpus": 100000})
deployment = client.get_deployments("/big")[0]
assert client.get_deployment(deployment["id"])["affectedApps"] == ["/big"]
assert "locked" in refused(lambda: client.update_app("/big", {"instances": 2}))
client.rollback_deployment(deployment["id"])
settled()
assert [a["id"] for a in client.get_apps()] == ["/shop/web"]
client.add_app({"id": "/big", "cmd": "sleep 100", "cpus": 100000})
client.stop_deployment(client.get_deployments("/big")[0]["id"])
settled()
assert client.get_app("/big")["tasksRunning"] == 0, "stopped, and left as it is"
client.remove_app("/big", force=True)
settled()
assert "does not exist" in refused(lambda: client.rollback_deployment("nope"))
step("deployments")

client.create_group({"id": "/team", "apps": [{"id": "a", "cmd": "sleep 100", "cpus": 0.1, "mem": 16}]})
settled()
client.scale_group("/team", 2)
settled()
assert client.get_group("/team")["apps"][0]["instances"] == 2
client.update_group("/team", {"groups": [{"id": "inner"}]})
assert [group["id"] for group in client.get_groups()] == ["/shop", "/team"]
settled()
client.remove_group("/team")
settled()
assert "does not exist" in refused(lambda: client.get_group("/team"))
step("groups")

client.stop_app("/shop/web")
settled()
assert client.get_app("/shop/web")["tasksRunning"] == 0
client.remove_app("/shop/web", force=True)
settled()
assert client.get_apps() == []
step("stop and remove")

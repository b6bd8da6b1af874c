"""Drives a master with Debian's python3-marathon, unmodified. Ends with an error at the first surprise."""
import json
import sys
import threading
import time

from marathon import MarathonClient
from marathon.exceptions import ConflictError, MarathonHttpError, NotFoundError
from marathon.models import MarathonApp, MarathonGroup

client = MarathonClient(sys.argv[1])


def step(name):
    print("ok", name, flush=True)


def until(holds, what):
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, f"still waiting: {what}"
        time.sleep(0.02)


def settled():
    until(lambda: client.list_deployments() == [], "deployments to end")


def expect(error, call):
    try:
        call()
    except error as raised:
        return raised
    raise AssertionError(f"{error.__name__} was expected")


def listen(names, attached):
    for event in client.event_stream(raw=True):
        names.append(json.loads(event)["eventType"])
        attached.set()


names, attached = [], threading.Event()
threading.Thread(target=listen, args=(names, attached), daemon=True).start()
assert attached.wait(20)
step("event stream")

info = client.get_info()
assert info.name == "marathon" and info.version.startswith("1."), info
assert client.get_leader()["leader"]
assert b"pong" in client.ping(), client.ping()
assert client.get_metrics()["gauges"]
step("info, leader, ping, metrics")

created = client.create_app("web", MarathonApp(cmd="sleep 100", cpus=0.1, mem=16, instances=2, labels={"a": "b"}))
assert created.id == "/web" and created.deployments, created
expect(MarathonHttpError, lambda: client.create_app("web", MarathonApp(cmd="sleep 100")))
expect(MarathonHttpError, lambda: client.create_app("both", MarathonApp(cmd="a", args=["b"])))
settled()
step("create")

app = client.get_app("web", embed_tasks=True)
assert app.instances == 2 and app.tasks_running == 2 and len(app.tasks) == 2, app
first = app.version
assert [a.id for a in client.list_apps(label="a==b", embed_tasks=True, embed_last_task_failure=True)] == ["/web"]
assert client.list_apps(cmd="nothing") == []
expect(NotFoundError, lambda: client.get_app("nope"))
step("get and list")

client.update_app("web", MarathonApp(cpus=0.2))
settled()
assert client.get_app("web").cpus == 0.2
client.update_apps([MarathonApp(id="/web", cmd="sleep 200")])
settled()
client.scale_app("web", instances=4)
settled()
assert len(client.list_tasks("web")) == 4
client.scale_app("web", delta=-1)
settled()
assert client.get_app("web").instances == 3
step("update and scale")

client.restart_app("web")
settled()
versions = client.list_versions("web")
assert len(versions) >= 5, versions
assert client.get_version("web", versions[-1]).id == "/web"
client.rollback_app("web", first.isoformat().replace("+00:00", "Z") if hasattr(first, "isoformat") else first)
settled()
app = client.get_app("web")
assert app.cpus == 0.1 and app.instances == 2, app
step("restart, versions and rollback")

before = {task.id for task in client.list_tasks("web")}
assert len(before) == 2 and client.list_endpoints()
client.kill_task("web", sorted(before)[0])
until(lambda: len({t.id for t in client.list_tasks("web") if t.state == "TASK_RUNNING"} - before) == 1, "a replacement")
client.kill_given_tasks([t.id for t in client.list_tasks("web")][:1], scale=True)
settled()
assert client.get_app("web").instances == 1
client.kill_tasks("web")
until(lambda: client.get_app("web").tasks_running == 1, "the last to be replaced")
step("tasks and kills")

big = client.create_app("big", MarathonApp(cmd="sleep 100", cpus=100000, mem=16))
until(lambda: [item.app.id for item in client.list_queue(embed_last_unused_offers=True)] == ["/big"], "the queue")
item = client.list_queue()[0]
assert item.count == 1 and item.delay.overdue is True and item.since, item
client.reset_delay("big")
expect(NotFoundError, lambda: client.reset_delay("web"))
expect(ConflictError, lambda: client.update_app("big", MarathonApp(cpus=0.1)))
deployment = client.list_deployments()[0]
assert deployment.affected_apps == ["/big"] and deployment.total_steps == 2, deployment
assert deployment.current_actions[0].app == "/big"
client.delete_deployment(deployment.id)
settled()
expect(NotFoundError, lambda: client.get_app("big"))
client.create_app("big", MarathonApp(cmd="sleep 100", cpus=100000, mem=16))
client.delete_deployment(client.list_deployments()[0].id, force=True)
settled()
assert client.get_app("big").instances == 1
step("queue, conflicts and deployments")

member = MarathonApp(id="a", cmd="sleep 100", cpus=0.1, mem=16, instances=2)
made = client.create_group(MarathonGroup(id="/team", apps=[member]))
settled()
assert client.get_group("/team").apps[0].id == "/team/a"
assert [group.id for group in client.list_groups()] == ["/team"], client.list_groups()
client.scale_group("/team", 2)
settled()
assert client.get_app("/team/a").instances == 4
client.update_group("/team", MarathonGroup(apps=[member], groups=[MarathonGroup(id="inner")]))
settled()
client.rollback_group("/team", made["version"])
settled()
assert client.get_group("/team").groups == []
client.delete_group("/team")
settled()
expect(NotFoundError, lambda: client.get_group("/team"))
step("groups")

client.delete_app("big", force=True)
client.delete_app("web")
settled()
assert client.list_apps() == []
step("delete")

for name in ("api_post_event", "group_change_success", "deployment_info", "deployment_step_success",
             "deployment_success", "deployment_failed", "status_update_event", "instance_changed_event"):
    until(lambda: name in names, name)
step("events")

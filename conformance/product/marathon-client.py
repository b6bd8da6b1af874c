"""What a user of Debian's python3-marathon does; prints a line for each step."""
import sys
import time

from marathon import MarathonClient
from marathon.models import MarathonApp


def until(holds):
    end = time.monotonic() + 30
    while not holds():
        if time.monotonic() > end:
            raise SystemExit("it does not get there")
        time.sleep(0.05)


client = MarathonClient(sys.argv[1], timeout=10)
print("ping", client.ping().decode() if isinstance(client.ping(), bytes) else client.ping())
app = client.create_app("/client", MarathonApp(cmd="exec sleep 100000", instances=2, cpus=0.05, mem=32))
print("created", app.id, app.instances)
print("listed", " ".join(app.id for app in client.list_apps()))
until(lambda: client.get_app("/client").tasks_running == 2)
print("running", client.get_app("/client").tasks_running)
tasks = client.list_tasks("/client")
print("tasks", len(tasks))
until(lambda: not client.list_deployments())
client.scale_app("/client", instances=1)
until(lambda: not client.list_deployments())
print("scaled", len(client.list_tasks("/client")))
client.restart_app("/client")
until(lambda: not client.list_deployments())
until(lambda: client.get_app("/client").tasks_running == 1)
print("restarted", len(client.list_tasks("/client")))
(task,) = client.list_tasks("/client")
client.kill_task("/client", task.id)
until(lambda: task.id not in [t.id for t in client.list_tasks("/client")])
until(lambda: client.get_app("/client").tasks_running == 1)
print("killed", len(client.list_tasks("/client")))
print("deployments", len(client.list_deployments()))
client.delete_app("/client")
until(lambda: not client.list_deployments())
print("deleted", len(client.list_apps()))

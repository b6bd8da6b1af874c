import type { Test } from 'tap';
import { FakeClock } from '../../core/kit/fake-clock.ts';
import { silentLog } from '../../core/kit/log.ts';
import { Agent, type AgentDependencies } from '../agent.ts';
import type { ContainerSpec } from '../runtime.ts';
import type { FakeProgram } from '../runtimes/fake/fake-machine.ts';
import { FakeRuntime } from '../runtimes/fake/fake-runtime.ts';
import { testAgent } from './assignments.ts';
import { eventually } from './eventually.ts';
import { FakeConsumer } from './fake-consumer.ts';
import { FakeHost, specsOf } from './fake-host.ts';
import { ScriptedMaster } from './scripted-master.ts';

/** One machine, one master, one clock; agents come and go on them. */
export class TestWorld {
  readonly clock = new FakeClock();
  readonly master = new ScriptedMaster();
  readonly consumer = new FakeConsumer();
  readonly host: FakeHost;
  readonly dataDir: string;

  constructor(dataDir: string, programOf: (spec: ContainerSpec) => FakeProgram = () => ({})) {
    this.dataDir = dataDir;
    this.host = new FakeHost({ clock: this.clock, programOf });
  }

  /** In a folder of the test. The order counts: what was asked for first ends last, and agents must end before their folder. */
  static open(t: Test, programOf?: (spec: ContainerSpec) => FakeProgram): TestWorld {
    t.teardown(() => {});
    return new TestWorld(t.testdir(), programOf);
  }

  dependencies(): AgentDependencies {
    const { clock, host, master } = this;
    return {
      master,
      runtime: new FakeRuntime({ machine: host.machine, clock }),
      attacher: host,
      namespaces: host,
      networks: host,
      namespaceName: (key) => key,
      volumes: host.volumes,
      specsOf: async (assignment) => specsOf(assignment),
      consumers: [this.consumer],
      probe: async () => undefined,
      poll: async () => ({ status: 200, contentType: 'text/plain', body: 'ready' }),
      look: async () => ({ kind: 'tcp', succeeded: true }),
      answer: async (question) => ({ asked: question.kind }),
      clock,
      log: silentLog,
    };
  }

  /** An agent on this machine; the test's end stops it. */
  async agent(t: Test, changed: Partial<AgentDependencies> = {}): Promise<Agent> {
    const agent = new Agent(
      { ...this.dependencies(), ...changed },
      { record: testAgent, dataDir: this.dataDir },
    );
    await agent.start();
    t.teardown(() => agent.stop());
    return agent;
  }

  /** Waits with time standing still. */
  until(holds: () => boolean): Promise<void> {
    return eventually(holds);
  }

  /** Waits with time going by. */
  whileTimeGoesBy(holds: () => boolean): Promise<void> {
    return eventually(holds, () => this.clock.advance(10));
  }

  /** What the master knows of an instance. */
  told(name: string) {
    return this.master.told.get(`web.instance-${name}`);
  }
}

import { WeirError } from '../core/kit/errors.ts';

/** Every share of a network's range belongs to an agent already. */
export class AddressPoolFull extends WeirError {
  constructor(network: string, agent: string, state: string) {
    super('WEIR_ADDRESS_POOL_FULL', `Cannot give ${agent} a share of network ${network}: ${state}`, {
      next: 'Remove the lease of an agent that is gone, or move apps to a network with a larger range.',
    });
  }
}

/** No address is left in this agent's share of a network. */
export class AddressesExhausted extends WeirError {
  constructor(network: string, instance: string, state: string) {
    super('WEIR_ADDRESSES_EXHAUSTED', `Cannot give ${instance} an address of network ${network}: ${state}`, {
      next: 'Stop instances on this agent, or use a network whose agentPrefix is smaller.',
    });
  }
}

/** A definition of a network that cannot work; `faults` names every one of its problems. */
export class InvalidNetwork extends WeirError {
  readonly faults: readonly string[];

  constructor(network: string, faults: readonly string[]) {
    super('WEIR_NETWORK_INVALID', `Cannot define network ${network}: ${faults.join('; ')}`);
    this.faults = faults;
  }
}

export class UnknownNetwork extends WeirError {
  constructor(action: string, network: string, known: readonly string[]) {
    const state = known.length === 0 ? 'there are no networks' : `known are ${known.join(', ')}`;
    super('WEIR_NETWORK_UNKNOWN', `Cannot ${action}: there is no network ${network} (${state})`);
  }
}

/** A network whose kernel objects (or lease) are not there on this agent, with the reason. */
export class NetworkNotReady extends WeirError {
  constructor(network: string, reason: string, cause?: unknown) {
    super('WEIR_NETWORK_NOT_READY', `Cannot use network ${network} on this agent: ${reason}`, { cause });
  }
}

/** No device of this host holds the address that tunnels start from. */
export class UnderlayMissing extends WeirError {
  constructor(network: string, agentAddress: string) {
    super(
      'WEIR_UNDERLAY_MISSING',
      `Cannot prepare network ${network}: no device of this host holds the agent's address ${agentAddress}`,
      { next: 'Start the agent with --address set to an address of this machine.' },
    );
  }
}

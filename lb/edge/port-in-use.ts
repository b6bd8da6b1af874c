import { WeirError } from '../../core/kit/errors.ts';

/** Someone else listens where the edge should. */
export class PortInUse extends WeirError {
  readonly address: string;
  readonly port: number;

  constructor(place: { readonly address: string; readonly port: number }, cause?: unknown) {
    super(
      'WEIR_PORT_IN_USE',
      `Cannot listen on ${place.address} port ${place.port}: another process already does`,
      { cause, next: 'End that process or choose another port.' },
    );
    this.address = place.address;
    this.port = place.port;
  }
}

import t from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import { testEngineContract } from '../../engine.contract.ts';
import { HaproxyEngine } from './haproxy.ts';

function create(): HaproxyEngine {
  const warn = (text: string) => t.comment(text);
  return new HaproxyEngine({ clock: systemClock, warn }, { httpPort: 0, stopMs: 100, slowStartMs: 0 });
}

testEngineContract('the engine haproxy', create);

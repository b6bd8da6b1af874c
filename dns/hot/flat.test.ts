import t from 'tap';
import { query } from '../testing/client.ts';
import { decodeMessage } from '../wire/decode.ts';
import { edns } from '../wire/edns.ts';
import { fillAnswer, type PrebuiltAnswer, prebuild } from '../wire/prebuilt.ts';
import { FlatAnswers } from './flat.ts';
import { HotQuestion } from './question.ts';

function answerTo(name: string, address = '100.64.0.1'): PrebuiltAnswer {
  const question = { name, type: 1, class: 1 };
  const answers = [{ type: 'A', name, class: 1, ttl: 5, address } as const];
  return prebuild({
    id: 0,
    flags: 0x400,
    question,
    answers,
    authorities: [],
    additionals: [],
    edns: undefined,
  });
}

function asked(name: string, parts: Parameters<typeof query>[2] = {}): HotQuestion {
  const question = new HotQuestion();
  const packet = query(name, 'A', parts);
  if (!question.read(packet, packet.length)) throw new Error(name);
  return question;
}

const target = () => ({ into: Buffer.alloc(600), at: 7, limit: 512, udpSize: 1232, turn: 0 });

t.test('a flat answer is the answer it was made of, byte for byte, with an OPT and without', async (t) => {
  const flat = new FlatAnswers(100);
  for (const parts of [{ id: 7 }, { id: 9, edns: edns(1232, { flags: 0x8000 }) }]) {
    const question = asked('Web.WEIR', parts);
    const answer = answerTo('web.weir');
    flat.put(question.hash, answer);
    const [to, other] = [target(), target()];
    const length = flat.fill(flat.find(question), question, to);
    t.equal(length, fillAnswer(answer, question, other));
    t.same(to.into, other.into);
    t.equal(decodeMessage(to.into.subarray(7, 7 + length)).kind, 'message');
    t.equal(flat.codeAt(flat.find(question)), 0);
  }
});

t.test('an answer is found until it is taken away, or others have its place', async (t) => {
  const flat = new FlatAnswers(2);
  const names = ['a.weir', 'b.weir', 'c.weir'];
  for (const name of names) flat.put(asked(name).hash, answerTo(name));
  const there = () => names.filter((name) => flat.find(asked(name)) >= 0);
  t.same(there(), ['a.weir', 'c.weir'], 'two places; the newest took one');
  flat.delete(asked('c.weir').hash);
  flat.delete(asked('c.weir').hash);
  t.same(there(), ['a.weir']);
});

t.test('another question of the same hash does not find it', async (t) => {
  const flat = new FlatAnswers(10);
  flat.put(asked('other.weir').hash, answerTo('web.weir'));
  t.equal(flat.find(asked('other.weir')), -1);
});

t.test(
  'what is long, or begins with another record each time, is not kept here, nor what was there before',
  async (t) => {
    const flat = new FlatAnswers(10);
    const { hash } = asked('web.weir');
    flat.put(hash, answerTo('web.weir'));
    const two = {
      ...answerTo('web.weir'),
      layout: { ...answerTo('web.weir').layout, counts: [2, 0, 0] as const },
    };
    flat.put(hash, two);
    t.equal(flat.find(asked('web.weir')), -1);
    const long = `${'x'.repeat(60)}.${'y'.repeat(60)}.weir`;
    flat.put(asked(long).hash, answerTo(long));
    t.equal(flat.find(asked(long)), -1);
  },
);

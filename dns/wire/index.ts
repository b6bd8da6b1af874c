export * from './decode.ts';
export * from './edns.ts';
export * from './encode.ts';
export * from './errors.ts';
export { type NameRead, toName, wireLength } from './name.ts';
export { MAX_LABEL, MAX_NAME, mixCase } from './name-text.ts';
export { fillAnswer, type PrebuiltAnswer, prebuild } from './prebuilt.ts';
export {
  type Asked,
  type Dropped,
  type Query,
  type QuestionRead,
  questionOf,
  type Rejected,
  readQuestion,
} from './question.ts';
export { fillRejection, fillStatus, type Target } from './reply.ts';
export * from './types.ts';

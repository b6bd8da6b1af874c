import { createRequire } from 'node:module';

/** One message as a parser read it. Texts have one character per byte; values are without blanks around them. */
export type ReadMessage = {
  /** Empty in an answer. */
  readonly method: string;
  readonly target: string;
  /** 0 in a request. */
  readonly status: number;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly content: string;
  readonly complete: boolean;
  /** Offset after it in what was read; known when complete. */
  readonly end: number;
};

export type Reading = {
  readonly messages: readonly ReadMessage[];
  /** Why the rest is refused; undefined: it is not. */
  readonly refused: string | undefined;
};

type Exports = {
  readonly memory: { readonly buffer: ArrayBuffer };
  llhttp_alloc(type: number): number;
  malloc(bytes: number): number;
  llhttp_reset(parser: number): void;
  llhttp_execute(parser: number, data: number, length: number): number;
  llhttp_finish(parser: number): number;
  llhttp_resume(parser: number): void;
  llhttp_resume_after_upgrade(parser: number): void;
  llhttp_get_error_pos(parser: number): number;
  llhttp_get_error_reason(parser: number): number;
  llhttp_get_method(parser: number): number;
};

/** Part of every runtime, and not of the types this repository is checked with. */
type Machine = {
  readonly Module: new (code: Buffer) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

type Constants = {
  readonly METHODS: Readonly<Record<string, number>>;
  readonly METHODS_HTTP: readonly number[];
};

const { PAUSED, PAUSED_UPGRADE } = { PAUSED: 21, PAUSED_UPGRADE: 22 };
const skipContent = 1;

/** llhttp in its strict mode: undici's WebAssembly build, used directly. It knows the methods in `methods` only. */
export class Llhttp {
  readonly methods: readonly string[];
  readonly #exports: Exports;
  readonly #parsers: { readonly request: number; readonly response: number };
  readonly #room: number;
  readonly #capacity = 262_144;
  #messages: Draft[] = [];
  #isHead = false;
  #fresh = true;

  constructor() {
    const require = createRequire(import.meta.url);
    // Neither file has types.
    const { METHODS, METHODS_HTTP } = require('undici/lib/llhttp/constants.js') as Constants;
    const code = require('undici/lib/llhttp/llhttp-wasm.js') as Buffer;
    const names: string[] = [];
    for (const [name, number] of Object.entries(METHODS))
      if (METHODS_HTTP.includes(number)) names[number] ??= name;
    this.methods = names;
    const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Machine };
    const instance = new WebAssembly.Instance(new WebAssembly.Module(code), { env: this.#callbacks() });
    this.#exports = instance.exports as Exports;
    this.#parsers = { request: this.#exports.llhttp_alloc(1), response: this.#exports.llhttp_alloc(2) };
    this.#room = this.#exports.malloc(this.#capacity);
  }

  requests(bytes: Uint8Array): Reading {
    return this.#read(this.#parsers.request, bytes, { isHead: false, isWhole: false });
  }

  /** Answers to one request; `isWhole`: the connection ended after these bytes. */
  answers(bytes: Uint8Array, options: { readonly isHead: boolean; readonly isWhole: boolean }): Reading {
    return this.#read(this.#parsers.response, bytes, options);
  }

  #read(
    parser: number,
    bytes: Uint8Array,
    { isHead, isWhole }: { readonly isHead: boolean; readonly isWhole: boolean },
  ): Reading {
    if (bytes.length > this.#capacity) throw new RangeError('input too long for the oracle');
    const {
      memory,
      llhttp_reset,
      llhttp_execute,
      llhttp_finish,
      llhttp_resume,
      llhttp_resume_after_upgrade,
    } = this.#exports;
    this.#messages = [];
    this.#isHead = isHead;
    this.#fresh = true;
    new Uint8Array(memory.buffer).set(bytes, this.#room);
    llhttp_reset(parser);
    const end = this.#room + bytes.length;
    let code = PAUSED;
    for (let at = this.#room; isPause(code) && at < end; ) {
      code = llhttp_execute(parser, at, end - at);
      if (code === 0) break;
      at = this.#exports.llhttp_get_error_pos(parser);
      this.#settle(at - this.#room);
      if (code === PAUSED) llhttp_resume(parser);
      // As if the upgrade were not taken up.
      if (code === PAUSED_UPGRADE) llhttp_resume_after_upgrade(parser);
    }
    if (code === 0 && isWhole) {
      code = llhttp_finish(parser);
      if (code === PAUSED) code = 0;
      this.#settle(bytes.length);
    }
    const isFine = code === 0 || isPause(code);
    return { messages: this.#messages, refused: isFine ? undefined : this.#reason(parser) };
  }

  /** The last complete message ended here. */
  #settle(at: number): void {
    const last = this.#messages.at(-1);
    if (last?.complete === true && last.end < 0) last.end = at;
  }

  #reason(parser: number): string {
    const bytes = new Uint8Array(this.#exports.memory.buffer);
    const start = this.#exports.llhttp_get_error_reason(parser);
    return Buffer.from(bytes.subarray(start, bytes.indexOf(0, start))).toString('latin1');
  }

  #text(at: number, length: number): string {
    return Buffer.from(this.#exports.memory.buffer, at, length).toString('latin1');
  }

  #callbacks() {
    const last = () => this.#messages.at(-1)!;
    return {
      wasm_on_message_begin: () => {
        this.#messages.push(new Draft());
        this.#fresh = true;
        return 0;
      },
      wasm_on_url: (_parser: number, at: number, length: number) => {
        last().target += this.#text(at, length);
        return 0;
      },
      wasm_on_status: () => 0,
      wasm_on_header_field: (_parser: number, at: number, length: number) => {
        if (this.#fresh) last().fields.push([this.#text(at, length), '']);
        return 0;
      },
      wasm_on_header_value: (_parser: number, at: number, length: number) => {
        if (this.#fresh) last().fields.at(-1)![1] = this.#text(at, length).replace(/^[ \t]+|[ \t]+$/g, '');
        return 0;
      },
      wasm_on_headers_complete: (parser: number, status: number) => {
        // What follows are trailers.
        this.#fresh = false;
        last().status = status;
        last().method = status === 0 ? this.methods[this.#exports.llhttp_get_method(parser)]! : '';
        return this.#isHead && status >= 200 ? skipContent : 0;
      },
      wasm_on_body: (_parser: number, at: number, length: number) => {
        last().content += this.#text(at, length);
        return 0;
      },
      wasm_on_message_complete: () => {
        last().complete = true;
        return PAUSED;
      },
    };
  }
}

function isPause(code: number): boolean {
  return code === PAUSED || code === PAUSED_UPGRADE;
}

class Draft {
  method = '';
  target = '';
  status = 0;
  readonly fields: [string, string][] = [];
  content = '';
  complete = false;
  end = -1;
}

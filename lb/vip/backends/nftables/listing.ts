/** One table as `nft -s list table` prints it, taken apart far enough to compare two of them. Pure. */
export type Listing = ReadonlyMap<string, Block>;

/** A chain, set or map: its definition and rules in order, and its elements in none. */
type Block = { readonly body: readonly string[]; readonly elements: ReadonlySet<string> };

/** By `<kind> <name>`; what belongs to the table itself is the block `table`. */
export function parseListing(text: string): Listing {
  const blocks = new Map<string, Block>();
  const own: string[] = [];
  let open: { readonly name: string; readonly lines: string[] } | undefined;
  for (const line of text.split('\n')) {
    const begins = /^\t(\w+ \S+) \{$/.exec(line);
    if (begins !== null) open = { name: begins[1]!, lines: [] };
    else if (line === '\t}' && open !== undefined) {
      blocks.set(open.name, block(open.lines.join('\n')));
      open = undefined;
    } else if (open !== undefined) open.lines.push(line);
    else if (/^\t\S/.test(line)) own.push(line.trim());
  }
  return blocks.set('table', { body: own, elements: new Set() });
}

/** Elements that packets made, or that end by themselves, are not compared. */
function block(text: string): Block {
  const list = /elements = \{([^}]*)\}/.exec(text);
  const rest = list === null ? text : text.replace(list[0], '');
  const body = rest.split('\n').map((line) => line.trim());
  const dynamic = body.some((line) => /^(flags (dynamic|timeout)|timeout )/.test(line));
  return {
    body: body.filter((line) => line !== ''),
    elements: new Set(list === null || dynamic ? [] : list[1]!.split(',').map(bare)),
  };
}

/** Without the counter, which the set's definition gives to each. */
function bare(element: string): string {
  return element.replace(/ counter( packets \d+ bytes \d+)?/, '').trim();
}

/** The elements that a transaction adds, by set or map. */
export function elementsOf(transaction: string): ReadonlyMap<string, ReadonlySet<string>> {
  const sets = new Map<string, Set<string>>();
  for (const [, name, list] of transaction.matchAll(/^add element ip6? \S+ (\S+) \{ (.*) \}$/gm)) {
    const set = sets.get(name!) ?? new Set();
    for (const element of list!.split(', ')) set.add(element);
    sets.set(name!, set);
  }
  return sets;
}

/** The listing with other elements in the named sets and maps. */
export function withElements(listing: Listing, elements: ReadonlyMap<string, ReadonlySet<string>>): Listing {
  return new Map(
    [...listing].map(([name, one]) => {
      const own = elements.get(name.replace(/^\w+ /, ''));
      return [name, own === undefined ? one : { ...one, elements: own }];
    }),
  );
}

export type Difference = {
  readonly what: string;
  /** Something is there or defined that filling the table anew would not undo. */
  readonly strange: boolean;
};

/** What `actual` has too little, too much or otherwise, a line for each block. */
export function differences(expected: Listing, actual: Listing): readonly Difference[] {
  const found: Difference[] = [];
  for (const [name, one] of expected) {
    const other = actual.get(name);
    if (other === undefined) found.push({ what: `${name} is missing`, strange: false });
    else found.push(...between(name, one, other));
  }
  for (const name of actual.keys()) {
    if (!expected.has(name)) found.push({ what: `${name} is not ours`, strange: true });
  }
  return found;
}

function between(name: string, one: Block, other: Block): readonly Difference[] {
  const same = one.body.join('\n') === other.body.join('\n');
  const missing = one.elements.difference(other.elements).size;
  const foreign = other.elements.difference(one.elements).size;
  return [
    ...(same ? [] : [{ what: `${name} was changed`, strange: isDefinition(name, one, other) }]),
    ...(missing > 0 ? [{ what: `${name} lacks ${missing} of its elements`, strange: false }] : []),
    ...(foreign > 0 ? [{ what: `${name} has ${foreign} elements that are not ours`, strange: false }] : []),
  ];
}

/** The rules of a chain can be replaced; its hook, and the type of a set, cannot. */
function isDefinition(name: string, one: Block, other: Block): boolean {
  const hook = (block: Block) => block.body.find((line) => line.startsWith('type ')) ?? '';
  return !name.startsWith('chain ') || hook(one) !== hook(other);
}

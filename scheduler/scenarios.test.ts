import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { Interpreter } from './testing/commands.ts';
import { rerun } from './testing/scenario.ts';

const folder = new URL('./testdata/', import.meta.url);

/** `WEIR_REWRITE=1` writes what happens now into the files: read the difference, commit what you understand. */
const rewrite = process.env.WEIR_REWRITE === '1';

for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
  t.test(`scheduler follows the scenario ${file}`, async (t) => {
    const url = new URL(file, folder);
    const text = readFileSync(url, 'utf8');
    const interpreter = new Interpreter();
    const happened = rerun(text, (command) => interpreter.run(command));
    if (rewrite) writeFileSync(url, happened);
    else t.equal(happened, text);
  });
}

// Preloaded into the printing of the table, outside of vitest: lets Node run the TypeScript of the tests as it stands.
import { register } from 'node:module';

register('./typescript-hooks.js', import.meta.url);

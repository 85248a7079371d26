// `--format text|json`, for the commands that print one page.
import { Option } from 'commander';
import type { Command } from 'commander';

export function addFormat(command: Command): Command {
  return command.addOption(new Option('--format <name>', 'how to print it').choices(['text', 'json']).default('text'));
}

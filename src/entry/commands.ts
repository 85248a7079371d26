// All commands, by name; what each does is loaded when it is called.
import { Command, CommanderError } from 'commander';
import type { Argument } from 'commander';
import type { ExitCode } from '../contract/report.js';
import { check } from './check.js';
import type { Setting } from './cli.js';
import { demo } from './demo.js';
import { doctor } from './doctor.js';
import { plan } from './plan.js';
import { probe } from './probe.js';
import { probes } from './probes.js';
import { profiles } from './profiles.js';
import { rules } from './rules.js';
import { schema } from './schema.js';
import { trace } from './trace.js';

/** A command's action hands its exit code over through this. */
export type Done = (exitCode: ExitCode) => void;
export type AddCommand = (program: Command, setting: Setting, done: Done) => void;

const COMMANDS: readonly AddCommand[] = [check, plan, rules, probe, trace, profiles, probes, schema, demo, doctor];

const AFTER_HELP = `
First steps:
  linecheck demo                see it work on this machine alone
  linecheck profiles            the products it knows
  linecheck check --profile kvmnet-access-management --as manager \\
    --host device=192.0.2.11    a first look, without any file
  linecheck check site.yaml     a whole site, from its file

Exit codes: 0 every required flow passes, 1 one fails, 2 usage or files wrong,
            3 none fails but one is unproven, 4 linecheck itself crashed.`;

function argumentTerm(argument: Argument): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
}

/** Runs the command that `argv` names; its exit code. */
export async function dispatch(setting: Setting, argv: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const program = new Command('linecheck')
    .description("Proves which of a product's required network flows get through, and what stops the others.")
    .version(setting.version, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', AFTER_HELP)
    // Without `[options]`, which every command has and no line has room for.
    .configureHelp({
      subcommandTerm: (command) => [command.name(), ...command.registeredArguments.map(argumentTerm)].join(' '),
    })
    .exitOverride();
  for (const add of COMMANDS) {
    add(program, setting, (code) => {
      exitCode = code;
    });
  }
  for (const command of program.commands) {
    command.exitOverride().showHelpAfterError(`(linecheck ${command.name()} --help tells more)`);
  }
  program.showHelpAfterError('(linecheck --help tells more)');
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version asked for are no mistake; everything else that the parser ends is.
    return error.exitCode === 0 ? 0 : 2;
  }
  return exitCode;
}

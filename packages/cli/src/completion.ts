/** Completion scripts for shells, generated from the command tree. */
import type { Command } from 'commander';

interface Node {
  /** Words after `certwright`, separated by spaces; empty for the program. */
  readonly path: string;
  readonly words: readonly string[];
}

function nodesOf(command: Command, path: string): Node[] {
  const visible = command.commands.filter((child) => child.name() !== 'help');
  const options = command.options.flatMap((option) =>
    option.long === undefined || option.long === null ? [] : [option.long],
  );
  return [
    { path, words: [...visible.map((child) => child.name()), ...options, '--help'] },
    ...visible.flatMap((child) => nodesOf(child, `${path} ${child.name()}`.trim())),
  ];
}

/** Walks the words before the cursor along the command tree, then offers what may follow. */
function body(nodes: readonly Node[], offer: (words: string) => string): string {
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => `"${path}"`);
  const cases = nodes.map(({ path, words }) => `    "${path}") ${offer(words.join(' '))} ;;`);
  return `  for word in "\${before[@]}"; do
    next="\${trail:+$trail }$word"
    case "$next" in
      ${paths.join('|')}) trail="$next" ;;
    esac
  done
  case "$trail" in
${cases.join('\n')}
  esac`;
}

export type Shell = 'bash' | 'zsh';

/** The script to be sourced by the shell. */
export function completionScript(program: Command, shell: Shell): string {
  const nodes = nodesOf(program, '');
  if (shell === 'bash') {
    return `# certwright completion for bash: source <(certwright completion bash)
_certwright() {
  local current="\${COMP_WORDS[COMP_CWORD]}" trail="" next word
  local -a before=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
${body(nodes, (words) => `COMPREPLY=($(compgen -W "${words}" -- "$current"))`)}
}
complete -o default -F _certwright certwright
`;
  }
  return `#compdef certwright
# certwright completion for zsh: source <(certwright completion zsh)
_certwright() {
  local trail= next word
  local -a before
  before=("\${words[@]:1:CURRENT-2}")
${body(nodes, (words) => `compadd -- ${words}`)}
}
compdef _certwright certwright
`;
}

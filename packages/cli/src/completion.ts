import type { Command } from 'commander'

/** Completes the names of commands, and the options of the command that is typed. */
export function completionScript(program: Command, shell: string): string {
  const names = program.commands.map((command) => command.name())
  const cases = program.commands.map((command) => {
    const words = [
      ...command.commands.map((sub) => sub.name()),
      ...command.options.map((option) => option.long ?? option.short),
    ]
    return `    ${command.name()}) words="${words.join(' ')}" ;;`
  })
  const complete = `_fusou() {
  local words="${names.join(' ')} --json --help"
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  [ "$COMP_CWORD" = 1 ] && words="${names.join(' ')} --json --help"
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
  [ \${#COMPREPLY[@]} = 0 ] && COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _fusou fusou
`
  return shell === 'zsh' ? `autoload -U +X bashcompinit && bashcompinit\n${complete}` : complete
}

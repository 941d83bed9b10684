" Vim syntax of blo models.
if exists("b:current_syntax")
  finish
endif
syn iskeyword @,48-57,_,192-255
syn match bloComment "#.*$" contains=@Spell
syn region bloString start=+"+ end=+"+ oneline
syn keyword bloStatement upper lower minimize maximize solve report expect use
syn match bloStatement "\<subject to\>"
syn keyword bloDeclaration data dim fn let param var
syn keyword bloModifier sparse precision pessimistic
syn keyword bloWord and else for from if in not or then
syn keyword bloType real int bool nonneg simplex ball normal uniform
syn keyword bloConstant true false inf
syn match bloNumber "\<\d\+\(\.\d\+\)\?\([eE][+-]\?\d\+\)\?\>"
syn match bloFunction "\<\k\+\ze("
hi def link bloComment Comment
hi def link bloString String
hi def link bloStatement Statement
hi def link bloDeclaration Structure
hi def link bloModifier StorageClass
hi def link bloWord Keyword
hi def link bloType Type
hi def link bloConstant Constant
hi def link bloNumber Number
hi def link bloFunction Function
let b:current_syntax = "blo"

autocmd BufNewFile,BufRead *.blo setfiletype blo

SELECT E'a'
'\'; b', U&'\0061' UESCAPE '!', 'a\'; SELECT $1, a$b$, $a$;$b$;$a$ /* /* ; */ */ -- ;
;

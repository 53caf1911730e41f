SELECT [a;b], `c;`, "d;", x'00' /* ; ; -- ;
; BEGIN IMMEDIATE; COMMIT TRANSACTION; VACUUM; /* never ends
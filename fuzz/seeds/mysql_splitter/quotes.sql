SELECT 'a\\'; b', "c\\";", `d;``e`, _utf8'f', x'00', n'g' # ; '
; -- ; "
SELECT 1--1; /* ; /* */ /*!50001 SELECT 2 */; /*M!100100 SELECT 3 */; /*!99999 ; */ SELECT /*+ NO_ICP(t) */ 4;

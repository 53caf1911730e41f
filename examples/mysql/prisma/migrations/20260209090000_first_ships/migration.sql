-- Rows alone: one transaction.
INSERT INTO `Ship` (`name`, `owner`, `draught`) VALUES
    ('Ark', 'Noah & Sons', 6.50),
    ('Argo', 'Jason', 1.20),
    ('Beagle', 'The Navy', 3.80),
    ('Endeavour', 'The Navy', 4.30);
INSERT INTO `Berth` (`quay`, `shipId`) SELECT CONCAT('Quay ', `id`), `id` FROM `Ship`;

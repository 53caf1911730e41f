//! Liquibase: SQL with comments that tell its change sets, each one a transaction.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::address::Way;
use super::install::{maven, place};
use super::{java, texts};
use crate::peer::{Kind, Migration, Peer, Target, Tools};

pub(super) struct Liquibase;

const VERSION: &str = "5.0.4";

const CHANGELOG: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:schemaLocation="http://www.liquibase.org/xml/ns/dbchangelog
        http://www.liquibase.org/xml/ns/dbchangelog/dbchangelog-latest.xsd">
  <includeAll path="changes" relativeToChangelogFile="true" errorIfMissingOrEmpty="false"/>
</databaseChangeLog>
"#;

fn pom() -> String {
    let drivers = java::DRIVERS;
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">
  <modelVersion>4.0.0</modelVersion>
  <groupId>plimsoll</groupId><artifactId>bench-liquibase</artifactId><version>0</version>
  <dependencies>
    <dependency><groupId>org.liquibase</groupId><artifactId>liquibase-core</artifactId><version>{VERSION}</version></dependency>
    <dependency><groupId>info.picocli</groupId><artifactId>picocli</artifactId><version>4.7.7</version></dependency>
{drivers}  </dependencies>
</project>
"
    )
}

fn liquibase(tools: &Tools) -> Command {
    let lib = place(tools, "liquibase").join("lib");
    let mut command = java::command(&[lib], "liquibase.integration.commandline.LiquibaseCommandLine");
    command.env("LIQUIBASE_ANALYTICS_ENABLED", "false").env("LIQUIBASE_SHOW_BANNER", "false");
    command
}

impl Peer for Liquibase {
    fn name(&self) -> &'static str {
        "liquibase"
    }

    fn version(&self) -> &'static str {
        VERSION
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Postgres, Kind::Mysql, Kind::Mariadb, Kind::Sqlite]
    }

    fn install(&self, tools: &Tools) -> Result<(), String> {
        maven(tools, "liquibase", &pom())
    }

    fn installed(&self, tools: &Tools) -> Vec<PathBuf> {
        let mut installed = java::runtime();
        installed.push(place(tools, "liquibase").join("lib"));
        installed
    }

    fn write(&self, project: &Path, migrations: &[Migration], _kind: Kind) -> io::Result<()> {
        texts::write(&project.join("changelog.xml"), CHANGELOG)?;
        let name = |migration: &Migration| format!("{}.sql", texts::numbered(migration));
        texts::one_file_each(&project.join("changes"), migrations, name, |migration| {
            format!(
                "--liquibase formatted sql\n\n--changeset bench:{}\n{}\n",
                migration.number, migration.sql
            )
        })
    }

    fn start(&self, tools: &Tools) -> Command {
        let mut command = liquibase(tools);
        command.arg("--version");
        command
    }

    fn deploy(&self, tools: &Tools, project: &Path, target: &Target) -> Command {
        let mut command = liquibase(tools);
        command.current_dir(project).arg("--changelog-file=changelog.xml");
        match Way::from(target) {
            Way::File(path) => {
                command.arg(format!("--url=jdbc:sqlite:{}", path.display()));
            }
            Way::Server(server) => {
                command.arg(format!("--url={}", server.jdbc()));
                command.env("LIQUIBASE_COMMAND_USERNAME", server.user);
                command.env("LIQUIBASE_COMMAND_PASSWORD", server.password);
            }
        }
        command.arg("update");
        command
    }
}
